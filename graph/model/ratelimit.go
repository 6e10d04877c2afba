package model

import "time"

// RateLimit is what is known about Mixcloud's limit; nil members are not known.
type RateLimit struct {
	Budget    *int
	Spent     *int
	Remaining *int
	RetryAt   *time.Time
}
