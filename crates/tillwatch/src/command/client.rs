//! Talking to a running server.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value;
use tillwatch_collect::outgoing::http_client;

use crate::cli::Server;

/// Between two looks at how far a server is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

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

    /// Sends a request and gives the answer, be it yes or no.
    ///
    /// # Errors
    /// The server is not there.
    pub async fn ask(&self, request: RequestBuilder) -> Result<Response> {
        request.send().await.with_context(|| {
            format!("no server answers at {}; start one with `tillwatch serve`, or name it with --server", self.base)
        })
    }

    /// Sends a request and turns a problem document into its words.
    ///
    /// # Errors
    /// The server is not there, or says no.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let answer = self.ask(request).await?;
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

impl ServerClient {
    /// Begins what the server goes on with by itself, and waits for its end. A GET of the same path has it
    /// under `key`; `told` hears of it while it is running. Gives it as it is at the end.
    ///
    /// # Errors
    /// The server is not there, says no, or tells that it failed.
    pub async fn wait_for(
        &self,
        path: &str,
        key: &str,
        request: &Value,
        told: &dyn Fn(&Value),
    ) -> Result<Value> {
        let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
        let begun = self.send(self.post(path)?.json(request)).await?;
        let begun: Value = serde_json::from_str(&begun.text().await?)?;
        let started_at =
            text(&begun, "started_at").context("the server's answer is none of ours")?;
        loop {
            let answer = self.send(self.get(path)?).await?;
            let answer: Value = serde_json::from_str(&answer.text().await?)?;
            let now = answer.get(key).cloned().unwrap_or_default();
            if text(&now, "started_at").as_ref() != Some(&started_at) {
                bail!(
                    "the server was started anew, or began another, before the end could be asked for"
                );
            }
            match text(&now, "state").as_deref() {
                Some("running") => {
                    told(&now);
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Some("done") => return Ok(now),
                _ => {
                    let fault = text(&now, "fault");
                    bail!("{}", fault.unwrap_or_else(|| "it failed".to_owned()))
                }
            }
        }
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
