//! The kinds of problem, each with its status and title: the whole list a client can meet.

use axum::http::StatusCode;

/// Declares the enum, its list, and the slug, status and title of each kind, so that none can be forgotten.
macro_rules! slugs {
    ($( $(#[$doc:meta])* $name:ident = $slug:literal, $status:ident, $title:literal; )*) => {
        /// The kind of a problem; its text is the last part of the problem document's `type`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Slug { $( $(#[$doc])* $name, )* }

        impl Slug {
            /// Every kind there is.
            pub const ALL: &'static [Slug] = &[$( Slug::$name, )*];

            /// The kind's name in addresses.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( Slug::$name => $slug, )* }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $( Slug::$name => StatusCode::$status, )* }
            }

            /// One short sentence, the same for all problems of this kind.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $( Slug::$name => $title, )* }
            }
        }
    };
}

slugs! {
    /// The body is not what its content type says.
    BodyUnreadable = "body-unreadable", BAD_REQUEST, "The body could not be read";
    /// A parameter of the query or the address is unknown, missing, repeated or malformed.
    BadParameter = "bad-parameter", BAD_REQUEST, "A parameter is wrong";
    /// A request header is malformed.
    BadHeader = "bad-header", BAD_REQUEST, "A header is wrong";
    /// The SQL text cannot be run: syntax, unknown names, or something the guard forbids.
    BadQuery = "bad-query", BAD_REQUEST, "The query cannot be run";
    /// No token was sent.
    TokenMissing = "token-missing", UNAUTHORIZED, "A bearer token is required";
    /// The token sent is none of ours.
    TokenWrong = "token-wrong", UNAUTHORIZED, "The token is not valid";
    /// The token sent was one of ours, and its time is over.
    TokenExpired = "token-expired", UNAUTHORIZED, "The token has expired";
    /// The token sent was one of ours, and was revoked.
    TokenRevoked = "token-revoked", UNAUTHORIZED, "The token was revoked";
    /// The token's role may not do this.
    RoleInsufficient = "role-insufficient", FORBIDDEN, "The token's role may not do this";
    /// The `Host` header names a host this server does not answer for.
    HostNotAllowed = "host-not-allowed", FORBIDDEN, "This host name is not served here";
    /// A page of another origin tried to change something.
    CrossOrigin = "cross-origin", FORBIDDEN, "Calls from pages of other origins are refused";
    /// No such address.
    NotFound = "not-found", NOT_FOUND, "There is nothing at this address";
    /// No stream of that name.
    UnknownStream = "unknown-stream", NOT_FOUND, "No such stream";
    /// No metric of that name.
    UnknownMetric = "unknown-metric", NOT_FOUND, "No such metric";
    /// No monitor of that name.
    UnknownMonitor = "unknown-monitor", NOT_FOUND, "No such monitor";
    /// No incident with that id.
    UnknownIncident = "unknown-incident", NOT_FOUND, "No such incident";
    /// No silence of that number, or not any more.
    UnknownSilence = "unknown-silence", NOT_FOUND, "No such silence";
    /// No board of that name.
    UnknownBoard = "unknown-board", NOT_FOUND, "No such board";
    /// No definition, file of definitions or section of that name.
    UnknownDefinition = "unknown-definition", NOT_FOUND, "No such definition";
    /// No annotation of that number.
    UnknownAnnotation = "unknown-annotation", NOT_FOUND, "No such annotation";
    /// The address exists, but not for this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// None of the formats in `Accept` can be given.
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "No acceptable format";
    /// The client took too long to send its body.
    BodyTimeout = "body-timeout", REQUEST_TIMEOUT, "The body did not arrive in time";
    /// The thing is not in a state that allows the action.
    Conflict = "conflict", CONFLICT, "The present state does not allow this";
    /// It is no longer, or not yet, what the request's `If-Match` or `If-None-Match` says.
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "It is not what you took it for";
    /// The definitions folder is not changed here.
    DefinitionsReadOnly = "definitions-read-only", CONFLICT, "The definitions are not changed here";
    /// A change that might undo another's must say what it took the thing for.
    PreconditionRequired = "precondition-required", PRECONDITION_REQUIRED, "A condition is required";
    /// The body is larger than the limit.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The content type is none we read.
    UnsupportedContentType = "unsupported-content-type", UNSUPPORTED_MEDIA_TYPE, "The content type is not supported";
    /// The content encoding is none we read.
    UnsupportedContentEncoding = "unsupported-content-encoding", UNSUPPORTED_MEDIA_TYPE, "The content encoding is not supported";
    /// Not one line of the body was taken.
    NothingAccepted = "nothing-accepted", UNPROCESSABLE_ENTITY, "No event was accepted";
    /// The query went over its limits on rows or memory.
    QueryTooLarge = "query-too-large", UNPROCESSABLE_ENTITY, "The query is over its limits";
    /// A definition sent cannot work; `faults` has all that is wrong with it.
    BadDefinition = "bad-definition", UNPROCESSABLE_ENTITY, "The definition cannot work";
    /// No definition would take the events of a file.
    NothingProposed = "nothing-proposed", UNPROCESSABLE_ENTITY, "Nothing can be proposed for this file";
    /// The past cannot be judged as asked: there is none, or it is too much.
    BacktestImpossible = "backtest-impossible", UNPROCESSABLE_ENTITY, "The past cannot be judged like this";
    /// We are asked for more than we can take just now.
    Overloaded = "overloaded", TOO_MANY_REQUESTS, "Too much at once";
    /// A fault of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on our side";
    /// The server is still replaying its journal.
    Recovering = "recovering", SERVICE_UNAVAILABLE, "The server is recovering";
    /// The server is about to stop.
    Stopping = "stopping", SERVICE_UNAVAILABLE, "The server is stopping";
    /// A stream was changed or removed while its events were on their way.
    DefinitionsChanged = "definitions-changed", SERVICE_UNAVAILABLE, "The definitions changed meanwhile";
    /// The journal failed to reach the disk and takes nothing until it is opened again.
    JournalPoisoned = "journal-poisoned", SERVICE_UNAVAILABLE, "The journal cannot be written";
    /// All places for live streams are taken.
    TooManyLiveClients = "too-many-live-clients", SERVICE_UNAVAILABLE, "Too many live streams";
    /// The answer took longer than the limit.
    Timeout = "timeout", GATEWAY_TIMEOUT, "The answer took too long";
    /// The disk is nearly full.
    DiskLow = "disk-low", INSUFFICIENT_STORAGE, "The disk is nearly full";
    /// The disk is full.
    JournalFull = "journal-full", INSUFFICIENT_STORAGE, "The disk is full";
}
