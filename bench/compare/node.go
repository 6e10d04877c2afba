package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// nodeFolder contains the servers for Node. It is relative to the root of the repository.
const nodeFolder = "bench/compare/node"

// minimumNode is the first major version of Node that all packages support.
const minimumNode = 20

// A nodeProgram is an installation of Node with the packages of nodeFolder.
type nodeProgram struct {
	path, version, folder string
}

// prepareNode finds Node, and installs the packages unless they are installed.
func prepareNode(ctx context.Context, progress io.Writer) (nodeProgram, error) {
	folder, err := filepath.Abs(nodeFolder)
	if err != nil {
		return nodeProgram{}, err
	}
	if _, err := os.Stat(filepath.Join(folder, "package-lock.json")); err != nil {
		return nodeProgram{}, fmt.Errorf("start this command in the root of the repository: %w", err)
	}
	path, err := exec.LookPath("node")
	if err != nil {
		return nodeProgram{}, fmt.Errorf("this command needs Node %d or later: %w", minimumNode, err)
	}
	text, err := exec.CommandContext(ctx, path, "--version").Output() //nolint:gosec // the path of node
	if err != nil {
		return nodeProgram{}, fmt.Errorf("node --version: %w", err)
	}
	n := nodeProgram{path, strings.TrimSpace(string(text)), folder}
	if err := checkVersion(n.version); err != nil {
		return nodeProgram{}, err
	}
	return n, n.install(ctx, progress)
}

// checkVersion returns an error unless a version of Node, such as v20.1.0, is supported.
func checkVersion(version string) error {
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < minimumNode {
		return fmt.Errorf("this command needs Node %d or later, found %q", minimumNode, version)
	}
	return nil
}

// install runs npm ci if the lock file is newer than the installed packages.
func (n nodeProgram) install(ctx context.Context, progress io.Writer) error {
	lock, err := os.Stat(filepath.Join(n.folder, "package-lock.json"))
	if err != nil {
		return err
	}
	installed, err := os.Stat(filepath.Join(n.folder, "node_modules", ".package-lock.json"))
	if err == nil && !installed.ModTime().Before(lock.ModTime()) {
		return nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("this command needs npm to install the packages of " + nodeFolder)
	}
	fmt.Fprintln(progress, "compare: npm ci in", nodeFolder)
	command := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error") //nolint:gosec // the path of npm
	command.Dir = n.folder
	command.Stdout, command.Stderr = progress, progress
	if err := command.Run(); err != nil {
		return fmt.Errorf("npm ci: %w", err)
	}
	return nil
}
