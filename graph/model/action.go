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
}

// NewUserAction begins a payload. User looks up the changed user.
func NewUserAction(out Outcome, user func(context.Context) (*User, error)) *UserAction {
	return &UserAction{out, user}
}

// User is the changed user as they are now; nil when the input was refused.
func (a *UserAction) User(ctx context.Context) (*User, error) {
	if a.Refused() {
		return nil, nil
	}
	return a.user(ctx)
}

// A CloudcastAction is the payload of the actions on a cloudcast, of uploads
// and of edits.
type CloudcastAction struct {
	Outcome
	cloudcast func(context.Context) (*Cloudcast, error)
}

// NewCloudcastAction begins a payload. Cloudcast looks up the changed cloudcast.
func NewCloudcastAction(out Outcome, cloudcast func(context.Context) (*Cloudcast, error)) *CloudcastAction {
	return &CloudcastAction{out, cloudcast}
}

// Cloudcast is the changed cloudcast as it is now; nil when the input was
// refused.
func (a *CloudcastAction) Cloudcast(ctx context.Context) (*Cloudcast, error) {
	if a.Refused() {
		return nil, nil
	}
	return a.cloudcast(ctx)
}

// An Outcome is what all payloads of writes share.
type Outcome struct {
	Changed          *bool        // nil when it could not be told
	Message          *string      // Mixcloud's own words
	UserErrors       []*UserError // never nil
	ClientMutationID *string

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
