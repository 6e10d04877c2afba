package markdown

import (
	"reflect"
	"testing"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	const document = "# Title\n\n```sh\necho a\n\necho b\n```\n\n<!-- file part -->\n\n```go\nx := 1\n```\n\nText.\n\n```\n```\n"
	got := Blocks(document)
	want := []Block{
		{Language: "sh", Text: "echo a\n\necho b\n", Line: 4},
		{Language: "go", Comment: "file part", Text: "x := 1\n", Line: 12},
		{Line: 18},
	}
	if len(got) != len(want) {
		t.Fatalf("got %d blocks, want %d: %+v", len(got), len(want), got)
	}
	for i := range got {
		if document[got[i].Start:got[i].End] != got[i].Text {
			t.Errorf("block %d: document[%d:%d] differs from Text", i, got[i].Start, got[i].End)
		}
		got[i].Start, got[i].End = 0, 0
		if got[i] != want[i] {
			t.Errorf("block %d = %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	const script = `curl -s 'http://host/?a=[1]' \
  -H "Accept: \"$TYPE\"" -d '{"a":
"b!"}'

head -c 10 /dev/zero > file && sleep 1
export KEY=$(openssl rand -hex 32)
echo ''
`
	got, err := Commands(script)
	if err != nil {
		t.Fatal(err)
	}
	want := []Command{
		{Line: 1, Words: []string{"curl", "-s", "http://host/?a=[1]", "-H", `Accept: "$TYPE"`, "-d", "{\"a\":\n\"b!\"}"}},
		{Line: 5, Words: []string{"head", "-c", "10", "/dev/zero"}, Output: "file", Operator: "&&"},
		{Line: 5, Words: []string{"sleep", "1"}},
		{Line: 6, Words: []string{"export", "KEY=$(openssl rand -hex 32)"}},
		{Line: 7, Words: []string{"echo", ""}},
	}
	if text := "head -c 10 /dev/zero > file"; len(got) > 1 && got[1].Text != text {
		t.Errorf("text of the second command = %q, want %q", got[1].Text, text)
	}
	for i := range got {
		got[i].Text = ""
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Commands() = %+v\nwant %+v", got, want)
	}
}

func TestCommands_unsafe(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		"curl http://host/?a=1", "ls *.go", "echo [a]", "echo {a,b}", "go run . # a comment", "# a comment", "echo hello!",
		`echo "hello!"`, "echo =ls", "ls ~", "git show HEAD^", "echo `date`", `echo "` + "`date`" + `"`, "cat < file", "(cd a)",
		"echo 'open", `echo "open`, "echo $(date", "echo $(ls *)", `echo \`,
	} {
		if got, err := Commands(script); err == nil {
			t.Errorf("Commands(%s) = %+v, want an error", script, got)
		}
	}
}
