//go:build tools || generate

// Package main: this file holds the go:generate directives. The build tags exclude it from every build.
package main

//go:generate go tool gqlgen generate
