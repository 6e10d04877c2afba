//go:build tools || generate

// Package main: this file is the home of the generators and is never built.
package main

//go:generate go tool gqlgen generate
