//! Which call needs what: the one table.
//!
//! A call that does not stand here is answered to nobody, so that a new one cannot be open by oversight.

use axum::http::Method;

use super::rights::Right;

/// What a call asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Any token of this server's.
    Token,
    /// A token whose role has this right.
    Of(Right),
}

/// What `GET` and `HEAD` of an address, and the methods that change something, need.
struct Rule {
    path: &'static str,
    get: Option<Need>,
    post: Option<Need>,
    put: Option<Need>,
    delete: Option<Need>,
}

const NONE: Rule = Rule {
    path: "",
    get: None,
    post: None,
    put: None,
    delete: None,
};
const READ: Option<Need> = Some(Need::Of(Right::Read));
const INGEST: Option<Need> = Some(Need::Of(Right::Ingest));
const OPERATE: Option<Need> = Some(Need::Of(Right::Operate));
const DEFINE: Option<Need> = Some(Need::Of(Right::Define));
const ADMINISTER: Option<Need> = Some(Need::Of(Right::Administer));

const fn get(path: &'static str, get: Option<Need>) -> Rule {
    Rule { path, get, ..NONE }
}

const fn post(path: &'static str, post: Option<Need>) -> Rule {
    Rule { path, post, ..NONE }
}

/// Read by who may read, begun by who administers.
const fn task(path: &'static str) -> Rule {
    Rule {
        path,
        get: READ,
        post: ADMINISTER,
        ..NONE
    }
}

/// Read by who may read, put and deleted by who has a right to.
const fn kept(path: &'static str, changed: Option<Need>) -> Rule {
    Rule {
        path,
        get: READ,
        put: changed,
        delete: changed,
        ..NONE
    }
}

/// Addresses of nothing.
const NOWHERE: &str = "/v1/{*rest}";

/// Every address that asks for a token, as the router writes it.
const RULES: &[Rule] = &[
    get("/v1/access", Some(Need::Token)),
    post("/v1/streams/{stream}/events", INGEST),
    get("/v1/streams/{stream}/quarantine", READ),
    post("/v1/streams/{stream}/quarantine/replay", OPERATE),
    post("/v1/sql", READ),
    get("/v1/metrics", READ),
    get("/v1/metrics/{metric}", READ),
    get("/v1/metrics/{metric}/live", READ),
    get("/v1/metrics/{metric}/forecast", READ),
    get("/v1/series", READ),
    get("/v1/live", READ),
    get("/v1/incidents", READ),
    get("/v1/incidents/live", READ),
    get("/v1/incidents/{id}", READ),
    post("/v1/incidents/{id}/{action}", OPERATE),
    get("/v1/silences", READ),
    Rule {
        path: "/v1/silences/{id}",
        delete: OPERATE,
        ..NONE
    },
    Rule {
        path: "/v1/annotations",
        get: READ,
        post: OPERATE,
        ..NONE
    },
    Rule {
        path: "/v1/annotations/{id}",
        delete: OPERATE,
        ..NONE
    },
    get("/v1/monitors", READ),
    post("/v1/monitors/{name}/backtest", READ),
    get("/v1/boards", READ),
    kept("/v1/boards/{name}", OPERATE),
    get("/v1/definitions", READ),
    kept("/v1/definitions/files/{*file}", DEFINE),
    get("/v1/definitions/packs/{pack}/{*file}", READ),
    kept("/v1/definitions/{section}/{name}", DEFINE),
    get("/v1/calendars", READ),
    post("/v1/propose", INGEST),
    get("/v1/status", READ),
    task("/v1/backup"),
    task("/v1/verify"),
    task("/v1/maintain"),
    get("/metrics", READ),
    // Addresses of nothing: whoever has a token is told so.
    get("/v1", Some(Need::Token)),
    get("/v1/", Some(Need::Token)),
    Rule {
        path: NOWHERE,
        get: Some(Need::Token),
        post: Some(Need::Token),
        put: Some(Need::Token),
        delete: Some(Need::Token),
    },
];

/// What a call needs; nothing where it does not stand in the table.
pub(crate) fn need(method: &Method, path: &str) -> Option<Need> {
    let rule = RULES.iter().find(|rule| rule.path == path)?;
    match *method {
        Method::GET | Method::HEAD => rule.get,
        Method::POST => rule.post,
        Method::PUT => rule.put,
        Method::DELETE => rule.delete,
        // There is nothing at the address, whatever is asked of it.
        _ if rule.path == NOWHERE => Some(Need::Token),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_call_of_the_openapi_document_stands_in_the_table() {
        // Probes and the document itself stand outside: they ask for no token.
        let open = ["/healthz", "/readyz", "/openapi.json"];
        let document: Value = serde_json::from_str(crate::openapi::text()).unwrap();
        let mut calls = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            // OpenAPI has no sign for a path that goes on.
            let path = path.replace("{file}", "{*file}");
            for method in methods.as_object().unwrap().keys() {
                if open.contains(&path.as_str()) {
                    continue;
                }
                let method: Method = method.to_uppercase().parse().unwrap();
                assert!(
                    need(&method, &path).is_some(),
                    "{method} {path} needs a line in RULES"
                );
                calls += 1;
            }
        }
        assert!(calls > 25, "{calls}");
    }

    #[test]
    fn every_address_of_the_router_stands_in_the_table_once() {
        let router = include_str!("../router.rs");
        let asks = router.split("Router::new()").nth(1).unwrap();
        let addresses = asks.split('"').filter(|text| text.starts_with("/v1"));
        let known: BTreeSet<_> = RULES.iter().map(|rule| rule.path).collect();
        assert_eq!(known.len(), RULES.len(), "an address stands there twice");
        let mut found = 0;
        for address in addresses {
            assert!(known.contains(address), "{address} needs a line in RULES");
            found += 1;
        }
        assert!(found > 20, "{found}");
    }

    #[test]
    fn what_does_not_stand_there_is_allowed_to_nobody() {
        assert_eq!(need(&Method::GET, "/v1/new"), None);
        assert_eq!(need(&Method::PATCH, "/v1/boards/{name}"), None);
        assert_eq!(need(&Method::POST, "/v1/boards/{name}"), None);
        assert_eq!(need(&Method::HEAD, "/v1/boards/{name}"), READ);
        assert_eq!(need(&Method::POST, "/v1/verify"), ADMINISTER);
    }
}
