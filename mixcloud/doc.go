// Package mixcloud is a client of the Mixcloud REST API.
package mixcloud
