package model

import "context"

// A UserTarget is the input of the actions on a user.
type UserTarget struct {
	UserID           *string
	Username         *string
	ClientMutationID *string
}

// A CloudcastTarget is the input of the actions on a cloudcast.
type CloudcastTarget struct {
	CloudcastID      *string
	Key              *string
	ClientMutationID *string
}

// A UserAction is the payload of the actions on a user.
type UserAction struct {
	Outcome
	user func(context.Context) (*User, error)
	edge func(context.Context) (*UserEdge, error)
}

// NewUserAction begins a payload. User looks up the changed user, edge the edge
// that the viewer's list has for them; edge is nil if no list changed.
func NewUserAction(out Outcome, user func(context.Context) (*User, error), edge func(context.Context) (*UserEdge, error)) *UserAction {
	return &UserAction{out, user, edge}
}

// User is the changed user as they are now; nil when the input was refused.
func (a *UserAction) User(ctx context.Context) (*User, error) {
	if a.Refused() {
		return nil, nil
	}
	return a.user(ctx)
}

// Edge returns the changed user as an item of the viewer's list; nil when the
// input was refused.
func (a *UserAction) Edge(ctx context.Context) (*UserEdge, error) {
	if a.Refused() || a.edge == nil {
		return nil, nil
	}
	return a.edge(ctx)
}

// A CloudcastAction is the payload of the actions on a cloudcast, of uploads
// and of edits.
type CloudcastAction struct {
	Outcome
	cloudcast func(context.Context) (*Cloudcast, error)
	edge      func(context.Context) (*CloudcastEdge, error)
}

// NewCloudcastAction begins a payload. Cloudcast looks up the changed cloudcast,
// edge the edge that the viewer's list has for it; edge is nil if no list changed.
func NewCloudcastAction(out Outcome, cloudcast func(context.Context) (*Cloudcast, error), edge func(context.Context) (*CloudcastEdge, error)) *CloudcastAction {
	return &CloudcastAction{out, cloudcast, edge}
}

// Cloudcast is the changed cloudcast as it is now; nil when the input was
// refused.
func (a *CloudcastAction) Cloudcast(ctx context.Context) (*Cloudcast, error) {
	if a.Refused() {
		return nil, nil
	}
	return a.cloudcast(ctx)
}

// Edge returns the changed cloudcast as an item of the viewer's list; nil when
// the input was refused.
func (a *CloudcastAction) Edge(ctx context.Context) (*CloudcastEdge, error) {
	if a.Refused() || a.edge == nil {
		return nil, nil
	}
	return a.edge(ctx)
}

// An Outcome is what all payloads of writes share.
type Outcome struct {
	Changed          *bool        // nil when it could not be told
	Message          *string      // Mixcloud's own words
	UserErrors       []*UserError // never nil
	ClientMutationID *string
	RemovedID        *string // the id of what was taken off a list of the viewer; nil if nothing was

	viewer func(context.Context) (*User, error)
}

// NewOutcome begins a payload whose viewer is looked up when it is selected.
func NewOutcome(clientMutationID *string, viewer func(context.Context) (*User, error)) Outcome {
	return Outcome{UserErrors: []*UserError{}, ClientMutationID: clientMutationID, viewer: viewer}
}

// Viewer is whose token did it, as they are after it.
func (o *Outcome) Viewer(ctx context.Context) (*User, error) { return o.viewer(ctx) }

// Refuse adds a reason why the input was refused. The field is relative to the
// input; none means the whole.
func (o *Outcome) Refuse(code UserErrorCode, message string, field ...string) {
	o.UserErrors = append(o.UserErrors, &UserError{Field: field, Code: code, Message: message})
}

// Refused reports whether there is such a reason.
func (o *Outcome) Refused() bool { return len(o.UserErrors) > 0 }

// A UserError is one reason why an input was refused.
type UserError struct {
	Field   []string // nil when it is about the whole input
	Code    UserErrorCode
	Message string
}
