//! Query parameters whose errors name the parameter.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::error::ApiError;

/// A request's query: each parameter at most once.
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        query
            .map(|query| Self(query.0))
            .map_err(|error| ApiError::field("query", error.to_string()))
    }
}

impl Params {
    /// These parameters.
    pub(super) const fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Refuses parameters that nobody reads: a misspelt filter must not silently filter nothing.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => {
                let detail = format!("there is no parameter `{name}`; there are: {}", known.join(", "));
                Err(ApiError::field(name, detail))
            }
            None => Ok(()),
        }
    }

    /// A parameter's text, if it is given and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self
            .0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// A parameter, read by `parse`; `expected` says what would be right.
    pub(super) fn get<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let wrong = || ApiError::field(name, format!("`{name}` is `{text}`; expected {expected}"));
        parse(text).map(Some).ok_or_else(wrong)
    }
}
