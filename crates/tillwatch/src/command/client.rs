//! Talking to a running server.

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value;
use tillwatch_collect::outgoing::http_client;

use crate::cli::Server;

/// A client of one server.
pub struct ServerClient {
    client: Client,
    base: Url,
    token: Option<String>,
}

impl ServerClient {
    /// A client for the server named on the command line.
    ///
    /// # Errors
    /// The address is no URL.
    pub fn new(server: &Server) -> Result<Self> {
        let base = Url::parse(&server.server).with_context(|| {
            format!(
                "'{}' is no address; write http://127.0.0.1:7878",
                server.server
            )
        })?;
        let prepare = || Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = http_client(prepare)?;
        Ok(Self {
            client,
            base,
            token: server.token.clone(),
        })
    }

    /// A POST to a path, with the token if there is one.
    ///
    /// # Errors
    /// The path does not fit the address.
    pub fn post(&self, path: &str) -> Result<RequestBuilder> {
        let request = self.client.post(self.base.join(path)?);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    /// A GET of a path, with the token if there is one.
    ///
    /// # Errors
    /// The path does not fit the address.
    pub fn get(&self, path: &str) -> Result<RequestBuilder> {
        let request = self.client.get(self.base.join(path)?);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    /// Sends a request and turns a problem document into its words.
    ///
    /// # Errors
    /// The server is not there, or says no.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let answer = request.send().await.with_context(|| {
            format!("no server answers at {}; start one with `tillwatch serve`, or name it with --server", self.base)
        })?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = answer.text().await.unwrap_or_default();
        bail!(
            "{}",
            problem_text(&body).unwrap_or_else(|| format!("the server answered {status}"))
        )
    }
}

/// Detail and suggestion of a problem document.
pub fn problem_text(body: &str) -> Option<String> {
    let problem: Value = serde_json::from_str(body).ok()?;
    let detail = problem
        .get("detail")
        .or_else(|| problem.get("title"))?
        .as_str()?;
    Some(match problem.get("suggestion").and_then(Value::as_str) {
        Some(suggestion) => format!("{detail}\n    help: {suggestion}"),
        None => detail.to_owned(),
    })
}
