//! Which address is which resource. A path is compared as it was sent: nothing is decoded, joined or cleaned, so that
//! no spelling leads anywhere else.

use super::ask::Resource;

/// Longest name of a job: a DNS label.
const NAME_MAX: usize = 63;

/// The routes as `GET /` lists them.
pub(super) const LIST: &str = "\
exorun's admin server; everything is read-only

/metrics                Prometheus text, or OpenMetrics if asked for
/livez                  the process answers
/readyz                 it has its jobs, its history and its secrets
/api/v1/jobs            jobs with their next due times
/api/v1/jobs/{name}     one job
/api/v1/runs            runs, newest first
/api/v1/runs/{id}       one run with its steps
/api/v1/occurrences     due times and what became of them, newest first
/api/v1/sessions        accounts with their slots
/api/v1/openapi.json    the description of all this for programs
";

/// A resource of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    List,
    Metrics,
    Livez,
    Readyz,
    OpenApi,
    Api(Resource),
}

impl Route {
    pub(super) fn of(path: &str) -> Option<Route> {
        Some(match path {
            "/" => Route::List,
            "/metrics" => Route::Metrics,
            "/livez" => Route::Livez,
            "/readyz" => Route::Readyz,
            _ => match path.strip_prefix("/api/v1/")? {
                "openapi.json" => Route::OpenApi,
                "jobs" => Route::Api(Resource::Jobs),
                "runs" => Route::Api(Resource::Runs),
                "occurrences" => Route::Api(Resource::Occurrences),
                "sessions" => Route::Api(Resource::Sessions),
                one => match one.split_once('/')? {
                    ("jobs", name) if is_job_name(name) => Route::Api(Resource::Job(name.to_owned())),
                    ("runs", id) => Route::Api(Resource::Run(run_id(id)?)),
                    _ => return None,
                },
            },
        })
    }
}

/// Whether `text` can be the name of a job.
pub(super) fn is_job_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= NAME_MAX
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
        && text.bytes().all(|byte| inner(byte) || byte == b'-')
}

/// A run's id as it is written everywhere: a UUID in lower case with hyphens.
fn run_id(text: &str) -> Option<String> {
    let id = uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH)?;
    Some(id.hyphenated().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_one_resource_and_nothing_else_is_any() {
        let id = "0194f2a0-0000-7000-8000-0000000000aa";
        for (path, route) in [
            ("/", Route::List),
            ("/metrics", Route::Metrics),
            ("/livez", Route::Livez),
            ("/readyz", Route::Readyz),
            ("/api/v1/openapi.json", Route::OpenApi),
            ("/api/v1/jobs", Route::Api(Resource::Jobs)),
            (
                "/api/v1/jobs/shared-mailbox-hardening",
                Route::Api(Resource::Job("shared-mailbox-hardening".into())),
            ),
            ("/api/v1/runs", Route::Api(Resource::Runs)),
            (&format!("/api/v1/runs/{id}"), Route::Api(Resource::Run(id.into()))),
            (&format!("/api/v1/runs/{}", id.to_uppercase()), Route::Api(Resource::Run(id.into()))),
            ("/api/v1/occurrences", Route::Api(Resource::Occurrences)),
            ("/api/v1/sessions", Route::Api(Resource::Sessions)),
        ] {
            assert_eq!(Route::of(path), Some(route), "{path}");
        }
        for path in [
            "",
            "*",
            "/metrics/",
            "//metrics",
            "/Metrics",
            "/metrics%20",
            "/%6detrics",
            "/api",
            "/api/v1",
            "/api/v1/",
            "/api/v1/../../metrics",
            "/api/v1/%2e%2e/metrics",
            "/api/v1/jobs/",
            "/api/v1/jobs/..",
            "/api/v1/jobs/%2e%2e",
            "/api/v1/jobs/..%2f..%2fetc%2fpasswd",
            "/api/v1/jobs/a/b",
            "/api/v1/jobs/A",
            "/api/v1/jobs/-a",
            "/api/v1/runs/1",
            "/api/v1/runs/0194f2a0000070008000-0000000000aa",
            "/api/v1/runs/{0194f2a0-0000-7000-8000-0000000000aa}",
            "/api/v1/sessions/1",
            "/api/v2/jobs",
            "/etc/passwd",
        ] {
            assert_eq!(Route::of(path), None, "{path}");
        }
        let long = "a".repeat(64);
        assert_eq!(Route::of(&format!("/api/v1/jobs/{long}")), None);
        assert!(Route::of(&format!("/api/v1/jobs/{}", &long[1..])).is_some());
    }
}
