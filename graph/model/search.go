package model

// A Search is a question that costs nothing until one of its lists is read.
type Search struct{ Query string }
