package paging_test

import "github.com/google/go-cmp/cmp/cmpopts"

var equateEmpty = cmpopts.EquateEmpty()

func ptr[T any](v T) *T { return &v }
