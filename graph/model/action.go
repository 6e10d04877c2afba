package model

import "context"

// A UserActionInput is the input of the actions on a user.
type UserActionInput struct {
	UserID           *string
	Username         *string
	ClientMutationID *string
}

// A CloudcastActionInput is the input of the actions on a cloudcast.
type CloudcastActionInput struct {
	CloudcastID      *string
	Key              *string
	ClientMutationID *string
}

// A UserPayload is the payload of the actions on a user.
type UserPayload struct {
	Payload
	user func(context.Context) (*User, error)
	edge func(context.Context) (*UserEdge, error)
}

// NewUserPayload begins a payload. User looks up the changed user, edge the edge
// that the viewer's list has for them; edge is nil if no list changed.
func NewUserPayload(out Payload, user func(context.Context) (*User, error), edge func(context.Context) (*UserEdge, error)) *UserPayload {
	return &UserPayload{out, user, edge}
}

// User is the changed user as they are now; nil when the input was refused.
func (a *UserPayload) User(ctx context.Context) (*User, error) {
	if a.Refused() {
		return nil, nil
	}
	return a.user(ctx)
}

// Edge returns the changed user as an item of the viewer's list; nil when the
// input was refused.
func (a *UserPayload) Edge(ctx context.Context) (*UserEdge, error) {
	if a.Refused() || a.edge == nil {
		return nil, nil
	}
	return a.edge(ctx)
}

// A CloudcastPayload is the payload of the actions on a cloudcast, of uploads
// and of edits.
type CloudcastPayload struct {
	Payload
	cloudcast func(context.Context) (*Cloudcast, error)
	edge      func(context.Context) (*CloudcastEdge, error)
}

// NewCloudcastPayload begins a payload. Cloudcast looks up the changed cloudcast,
// edge the edge that the viewer's list has for it; edge is nil if no list changed.
func NewCloudcastPayload(out Payload, cloudcast func(context.Context) (*Cloudcast, error), edge func(context.Context) (*CloudcastEdge, error)) *CloudcastPayload {
	return &CloudcastPayload{out, cloudcast, edge}
}

// Cloudcast is the changed cloudcast as it is now; nil when the input was
// refused.
func (a *CloudcastPayload) Cloudcast(ctx context.Context) (*Cloudcast, error) {
	if a.Refused() {
		return nil, nil
	}
	return a.cloudcast(ctx)
}

// Edge returns the changed cloudcast as an item of the viewer's list; nil when
// the input was refused.
func (a *CloudcastPayload) Edge(ctx context.Context) (*CloudcastEdge, error) {
	if a.Refused() || a.edge == nil {
		return nil, nil
	}
	return a.edge(ctx)
}

// An Payload is what all payloads of writes share.
type Payload struct {
	Changed          *bool        // nil when it could not be told
	Message          *string      // Mixcloud's own words
	UserErrors       []*UserError // never nil
	ClientMutationID *string
	RemovedID        *string // the id of what was taken off a list of the viewer; nil if nothing was

	viewer func(context.Context) (*User, error)
}

// NewPayload begins a payload whose viewer is looked up when it is selected.
func NewPayload(clientMutationID *string, viewer func(context.Context) (*User, error)) Payload {
	return Payload{UserErrors: []*UserError{}, ClientMutationID: clientMutationID, viewer: viewer}
}

// Viewer is whose token did it, as they are after it.
func (o *Payload) Viewer(ctx context.Context) (*User, error) { return o.viewer(ctx) }

// Refuse adds a reason why the input was refused. The field is relative to the
// input; none means the whole.
func (o *Payload) Refuse(code UserErrorCode, message string, field ...string) {
	o.UserErrors = append(o.UserErrors, &UserError{Field: field, Code: code, Message: message})
}

// Refused reports whether there is such a reason.
func (o *Payload) Refused() bool { return len(o.UserErrors) > 0 }

// A UserError is one reason why an input was refused.
type UserError struct {
	Field   []string // nil when it is about the whole input
	Code    UserErrorCode
	Message string
}
