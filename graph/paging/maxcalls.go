package paging

// MaxCalls returns the maximum number of calls for a page, for arguments that [Check] accepts and
// that request at least one item. It returns 0 if the kind of a cursor is unknown. Dated means that
// the items of the list have their own time.
//
// The maximum applies if Mixcloud hides no items of the list and returns pages of
// the requested size. Other lists can take up to maxFurtherCalls more, as the
// schema's description of PageInfo says.
func MaxCalls(a Args, dated bool) int {
	calls := 1
	if a.Since != nil && !dated {
		calls = sinceCalls
	}
	switch {
	case a.Before != nil && KindOf(*a.Before) == ByWrite:
		return calls * (writeCalls + maxBackwardCalls)
	case a.Before != nil && KindOf(*a.Before) != 0:
		return calls * maxBackwardCalls
	case a.Before != nil:
		return 0
	case a.After != nil:
		return calls * MaxCallsAfter(KindOf(*a.After))
	}
	return calls
}

const (
	// sinceCalls is the factor for lists whose items have no time: it is not known in
	// advance which end of the range Mixcloud returns.
	sinceCalls = 2
	// writeCalls is the number of calls to find the item of a write cursor: among the
	// first hundred items of the list, then among those at the time of the write.
	writeCalls = 2
)

// MaxCallsAfter returns the maximum number of calls for a page after a cursor of a
// kind; 0 for an unknown kind. The cursor's item may have moved or been deleted, so
// finding its position can take several pages.
func MaxCallsAfter(kind Kind) int {
	switch kind {
	case ByOffset:
		return 1
	case ByOffsetPage:
		return 2
	case ByTime:
		return 3
	case ByPage:
		return 6
	case ByWrite: // the page continues by page
		return writeCalls + MaxCallsAfter(ByPage)
	}
	return 0
}
