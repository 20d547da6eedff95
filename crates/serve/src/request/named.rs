//! The parts of an address that name something.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Names taken from the address, percent-decoded. What cannot be decoded is answered like every other wrong parameter.
pub(crate) struct Named<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Named<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(names) = Path::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| refused(&rejection))?;
        Ok(Self(names))
    }
}

fn refused(rejection: &PathRejection) -> Problem {
    if let PathRejection::FailedToDeserializePathParams(failed) = rejection
        && let ErrorKind::InvalidUtf8InPathParam { key } = failed.kind()
    {
        let detail = "What is percent-encoded in this part of the address is not UTF-8.";
        return Problem::parameter(key, detail);
    }
    // The routes and what is read from them stand in one crate, so a mismatch is a fault of ours.
    Problem::internal(rejection)
}
