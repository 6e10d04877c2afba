package layering

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"mixcloud-graphql/internal/markdown"
)

// programs matches the beginning of a shell command.
var programs = regexp.MustCompile(`^(?:go (?:run|test|mod|tool|build|install)|bench/run.sh|cat|curl|docker|export|git|head|jq|kubectl|make|mixcloud-graphql|npm|npx|openssl|redis-cli|sleep|systemctl|wget) `)

// TestShellBlocksOfDocuments fails if a reader cannot paste the commands of a document into bash
// and zsh, or if a block of another language contains commands.
func TestShellBlocksOfDocuments(t *testing.T) {
	t.Parallel()
	commands := 0
	for name, text := range documents(t) {
		for _, block := range markdown.Blocks(text) {
			if block.Language != "sh" {
				if programs.MatchString(block.Text) {
					t.Errorf("%s:%d: block with shell commands must begin with ```sh", name, block.Line)
				}
				continue
			}
			parsed, err := markdown.Commands(block.Text)
			if err != nil {
				t.Errorf("%s:%d: command is not safe in bash and zsh: %v", name, block.Line, err)
			}
			commands += len(parsed)
			for _, shell := range []string{"bash", "zsh"} {
				checkSyntax(t, shell, name, block)
			}
		}
		for i, line := range strings.Split(text, "\n") {
			if code, indented := strings.CutPrefix(line, "    "); indented && programs.MatchString(code) {
				t.Errorf("%s:%d: command in an indented block; put it between ```sh and ```", name, i+1)
			}
		}
	}
	if commands < 6 {
		t.Errorf("%d commands were checked, want at least 6", commands)
	}
}

// checkSyntax parses a block with a shell, without executing it, if the shell is installed.
func checkSyntax(t *testing.T, shell, name string, block markdown.Block) {
	t.Helper()
	program, err := exec.LookPath(shell)
	if err != nil {
		return
	}
	check := exec.CommandContext(t.Context(), program, "-n")
	check.Stdin = strings.NewReader(block.Text)
	if report, err := check.CombinedOutput(); err != nil {
		t.Errorf("%s:%d: %s -n reports a syntax error: %v\n%s", name, block.Line, shell, err, report)
	}
}
