package conformance

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/mixcloud/emulator"
)

// rulesFile contains a line for each rule that the emulator can break, with the probe that detects
// it.
var rulesFile = filepath.Join("testdata", "rules.golden")

// probesByRule returns the probes of rulesFile by rule.
func probesByRule(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	probeOf := map[string]string{}
	for line := range strings.Lines(string(text)) {
		rule, probe, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		probeOf[rule] = probe
	}
	return probeOf
}

// TestProbesByRule_IsComplete checks that every rule has a probe, and that every probe
// can fail.
func TestProbesByRule_IsComplete(t *testing.T) {
	t.Parallel()
	if *update {
		return // TestRun_FindsTheBrokenRule rewrites the file, and fails for a rule without a probe
	}
	probeOf := probesByRule(t)
	const again = "then: go test ./internal/conformance -run 'Rule|Docs' -update"
	for _, rule := range emulator.BrokenRules() {
		if probeOf[rule] == "" {
			t.Errorf("no probe detects the rule %s of mixcloud/emulator/broken_rules.go: write one in internal/conformance, %s", rule, again)
		}
		delete(probeOf, rule)
	}
	for rule := range probeOf {
		t.Errorf("mixcloud/emulator/broken_rules.go has no rule %s: %s", rule, again)
	}
	probeOf = probesByRule(t)
	for _, p := range probes() {
		if n := len(slices.DeleteFunc(slices.Collect(maps.Values(probeOf)), func(name string) bool { return name != p.name })); n != 1 {
			t.Errorf("%d broken rules make the probe %s fail, want 1: add a rule to mixcloud/emulator/broken_rules.go that breaks the rule of the probe, %s", n, p.name, again)
		}
	}
}

// TestRun_FindsTheBrokenRule checks that each broken rule is detected by its probe only.
// Under the race detector it checks only some rules, because that makes runs slow.
func TestRun_FindsTheBrokenRule(t *testing.T) {
	t.Parallel()
	probeOf := probesByRule(t)
	rules := emulator.BrokenRules()
	lines := make([]string, len(rules))
	if *update {
		t.Cleanup(func() {
			if err := os.WriteFile(rulesFile, []byte(strings.Join(lines, "")), 0o644); err != nil {
				t.Error(err)
			}
		})
	}
	for i, rule := range rules {
		if race.Enabled && i%10 > 0 && !*update {
			continue
		}
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			runInBubble(t, func() http.RoundTripper {
				return newEmulator(t, emulator.WithBroken(rule)).Transport()
			}, nil, func(t *testing.T, r Report, err error) {
				if err != nil {
					t.Fatal(err)
				}
				var found []string
				for _, p := range r.Probes {
					if p.Verdict == Differs {
						found = append(found, p.Name)
						if p.Detail == "" {
							t.Errorf("probe %s differs without a detail", p.Name)
						}
					}
				}
				want := probeOf[rule]
				if *update && len(found) == 1 {
					want = found[0]
					lines[i] = rule + " " + want + "\n"
				}
				if diff := cmp.Diff([]string{want}, found); diff != "" {
					t.Errorf("%s (-want +found):\n%s\nall probes that do not agree: %q", emulator.BrokenRuleDoc(rule), diff, notAgreeing(r))
				}
				if n := verdicts(r)[Inconclusive]; n > 8 {
					t.Errorf("one broken rule makes %d probes inconclusive, want at most 8: %q", n, notAgreeing(r))
				}
			})
		})
	}
}
