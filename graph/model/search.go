package model

// A Search is a search query. It makes no call until one of its lists is read.
type Search struct{ Query string }
