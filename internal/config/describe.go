package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Print writes the settings of cmd to w as environment variables, one NAME=VALUE per line.
// Secrets are redacted.
func Print(w io.Writer, cmd Command) error {
	var cli CLI
	model, err := model(&cli)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(cmd).Elem()
	for _, node := range model.Children {
		if node.Target.Type() != v.Type() {
			continue
		}
		node.Target.Set(v)
		for _, flag := range node.Flags {
			if slices.Contains(notSettings, flag.Name) {
				continue
			}
			if _, err := fmt.Fprintf(w, "%s=%v\n", envName(flag.Name), text(flag.Target.Interface())); err != nil {
				return err
			}
		}
		for _, s := range secrets(v) {
			if _, err := fmt.Fprintf(w, "%s=%v\n", envPrefix+s.name, s.value.Interface()); err != nil {
				return err
			}
		}
	}
	return nil
}

// text returns the value of a setting in the format of environment variables.
func text(v any) any {
	switch v := v.(type) {
	case []string:
		return strings.Join(v, " ")
	case *bool:
		return v == nil || *v
	case time.Duration:
		return durationText(v)
	}
	return v
}

// durationText formats a duration without zero units: 1h, not 1h0m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if t, ok := strings.CutSuffix(s, "m0s"); ok {
		s = t + "m"
	}
	if t, ok := strings.CutSuffix(s, "h0m"); ok {
		s = t + "h"
	}
	return s
}

// Table returns a Markdown table of the settings of each command, for the documentation.
func Table() (string, error) {
	var cli CLI
	model, err := model(&cli)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, node := range model.Children {
		own := secrets(node.Target)
		if len(node.Flags)+len(own) == 0 {
			continue
		}
		name := program + " " + node.Name
		if node.Tag.Default != "" {
			name = program + " [" + node.Name + "]"
		}
		fmt.Fprintf(&b, "**`%s`**: %s\n\n", name, node.Help)
		b.WriteString("| flag | environment | default | meaning |\n| --- | --- | --- | --- |\n")
		for _, flag := range node.Flags {
			variable := code(envName(flag.Name))
			if slices.Contains(confidential, flag.Name) {
				variable += " or " + code(envName(flag.Name)+fileSuffix)
			}
			fmt.Fprintf(&b, "| `--%s` | %s | %s | %s |\n", flag.Name, variable, code(flag.Default), flag.OrigHelp)
		}
		for _, s := range own {
			fmt.Fprintf(&b, "| | `%s` or `%[1]s%s` | | %s |\n", envPrefix+s.name, fileSuffix, s.help)
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func model(cli *CLI) (*kong.Application, error) {
	parser, err := newParser(cli, io.Discard)
	if err != nil {
		return nil, err
	}
	return parser.Model, nil
}
