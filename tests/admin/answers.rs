//! Every address, in every form.

use std::sync::Arc;

use exorun::observe::admin::{self, Readiness};

use crate::examples::Examples;
use crate::house::{ask_on, config, exchange, get, metrics, send, start};

/// All addresses that answer with 200.
const ADDRESSES: [&str; 11] = [
    "/",
    "/metrics",
    "/livez",
    "/readyz",
    "/api/v1/openapi.json",
    "/api/v1/jobs",
    "/api/v1/jobs/harden",
    "/api/v1/runs",
    "/api/v1/runs/0194f2a0-1111-7222-8333-0000000000aa",
    "/api/v1/occurrences",
    "/api/v1/sessions",
];

#[tokio::test]
async fn every_address_answers_get_and_head_with_the_same_headers() {
    let server = start(config()).await;
    for target in ADDRESSES {
        let got = get(server.address(), target).await;
        assert_eq!(got.status, 200, "{target}: {got:?}");
        assert!(!got.body.is_empty());
        let wanted = match target {
            _ if target.starts_with("/api") => "application/json",
            "/metrics" => "text/plain; version=0.0.4; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        };
        assert_eq!(got.header("content-type"), Some(wanted), "{target}");
        assert_eq!(got.header("cache-control"), Some("no-store"), "{target}");
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"), "{target}");
        assert_eq!(got.header("content-length"), Some(got.body.len().to_string().as_str()), "{target}");
        for absent in ["server", "access-control-allow-origin", "x-powered-by"] {
            assert_eq!(got.header(absent), None, "{target}");
        }
        let head = send(server.address(), "HEAD", target, "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{target}");
        for same in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(same), got.header(same), "{target}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn other_methods_are_405_and_name_those_there_are() {
    let server = start(config()).await;
    for target in ADDRESSES {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let reply = send(server.address(), method, target, "").await;
            assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method} {target}");
            assert_eq!(reply.problem(), "everything here is read-only");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_404_however_it_is_spelled() {
    let server = start(config()).await;
    for target in [
        "/api/v1/../../etc/passwd",
        "/api/v1/%2e%2e/metrics",
        "/..%2f..%2fetc/passwd",
        "/api/v1/jobs/%2e%2e%2f%2e%2e",
        "/api/v1/jobs/harden/",
        "/api/v1/jobs/harden%00",
        "/api/v1/jobs/nobody",
        "/api/v1/runs/0194f2a0-1111-7222-8333-0000000000ab",
        "/api/v1/runs/1",
        "//metrics",
        "/metrics/../api/v1/jobs",
        "/favicon.ico",
        "/api",
    ] {
        let reply = get(server.address(), target).await;
        assert_eq!(reply.status, 404, "{target}: {reply:?}");
        assert!(!reply.problem().contains("passwd"), "{reply:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn absolute_addresses_are_read_and_odd_ones_refused() {
    let server = start(config()).await;
    let absolute = "GET http://127.0.0.1/livez HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    assert_eq!(exchange(server.address(), absolute).await.body, "alive\n");
    for (request, status) in [
        ("GET http://evil.example/api/v1/jobs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 421),
        ("CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\nconnection: close\r\n\r\n", 404),
        ("OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 404),
        ("GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n", 400),
        ("GET /livez HTTP/1.0\r\n\r\n", 200),
        ("GET /livez HTTP/9.9\r\n\r\n", 400),
        ("GET /li\x00vez HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
    ] {
        assert_eq!(exchange(server.address(), request).await.status, status, "{request:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn parameters_are_strict_and_pages_follow_each_other() {
    let server = start(config()).await;
    for (target, words) in [
        ("/api/v1/runs?limit=0", "`limit` wants a whole number from 1 to 1000"),
        ("/api/v1/runs?result=ran", "a parameter is not known; there are job, outcome, limit, page"),
        ("/api/v1/runs?page=nonsense", "`page` is no `next` of an answer"),
        ("/api/v1/sessions?x=1", "this resource takes no parameters"),
        ("/api/v1/jobs/harden?limit=1", "this resource takes no parameters"),
    ] {
        let reply = get(server.address(), target).await;
        assert_eq!((reply.status, reply.problem().as_str()), (400, words), "{target}");
    }
    // Scrapers and probes may be configured with parameters that mean nothing here.
    for target in ["/metrics?name[]=x", "/livez?verbose", "/readyz?exclude=x"] {
        assert_eq!(get(server.address(), target).await.status, 200, "{target}");
    }
    let mut names = Vec::new();
    let mut target = "/api/v1/jobs?limit=2".to_owned();
    loop {
        let page = get(server.address(), &target).await.json();
        names.extend(page["items"].as_array().unwrap().iter().map(|job| job["name"].clone()));
        match page["next"].as_str() {
            Some(next) => target = format!("/api/v1/jobs?limit=2&page={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["a-report", "harden", "nightly"]);
    server.stop().await;
}

#[tokio::test]
async fn the_form_of_the_metrics_is_the_one_that_is_asked_for() {
    let server = start(config()).await;
    let wanted =
        "accept: application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5\r\n";
    let open = send(server.address(), "GET", "/metrics", wanted).await;
    assert_eq!(
        open.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert_eq!(open.header("vary"), Some("accept"));
    assert!(open.body.ends_with("# EOF\n") && open.body.contains("# TYPE exorun_runs counter\n"));
    let text = get(server.address(), "/metrics").await;
    assert!(!text.body.contains("# EOF") && text.body.contains("# TYPE exorun_runs_total counter\n"));
    server.stop().await;
}

#[tokio::test]
async fn ready_is_when_everything_was_true_once_and_names_what_is_missing() {
    let readiness = Readiness::new(&["jobs", "history", "secret"]);
    let server = admin::start(config(), metrics(), readiness.clone(), Arc::new(Examples)).await.unwrap();
    readiness.done("history");
    let reply = get(server.address(), "/readyz").await;
    assert_eq!((reply.status, reply.body.as_str()), (503, "not ready, still missing: jobs, secret\n"));
    assert_eq!(get(server.address(), "/livez").await.status, 200);
    readiness.done("jobs");
    readiness.done("secret");
    let reply = get(server.address(), "/readyz").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "ready\n"));
    server.stop().await;
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = start(config()).await;
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    for _ in 0..100 {
        assert_eq!(ask_on(&mut stream, "/api/v1/jobs").await.status, 200);
        assert_eq!(ask_on(&mut stream, "/nothing").await.status, 404);
    }
    drop(stream);
    server.stop().await;
}
