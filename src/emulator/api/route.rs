//! Which address names what.
//!
//! Source: protocol reference, 3.1, 3.2 (`AdminApi` in any case, `beta` or `v1.0`), 3.12, 3.13.

use super::super::faults::BATCH;
use super::super::form;
use super::read::Read;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Invoke,
    Batch,
    ModuleFile,
    Banner,
    ServiceDocument,
    Metadata,
    Read(Read),
}

impl Operation {
    /// The name for counters and faults.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Operation::Invoke => "InvokeCommand",
            Operation::Batch => BATCH,
            Operation::ModuleFile => "EXOModuleFile",
            Operation::Banner => "EXOBanner",
            Operation::ServiceDocument => "(service document)",
            Operation::Metadata => "$metadata",
            Operation::Read(read) => read.cmdlet,
        }
    }
}

/// `/adminapi/{version}/{tenant}/{operation}`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) tenant: String,
    pub(super) operation: Operation,
}

impl Route {
    /// `None`: nothing is there.
    pub(super) fn of(path: &str) -> Option<Route> {
        let path: Vec<String> = path.trim_matches('/').split('/').map(form::segment).collect();
        let [api, version, tenant, rest @ ..] = path.as_slice() else { return None };
        if !api.eq_ignore_ascii_case("adminapi") || !matches!(version.as_str(), "beta" | "v1.0") {
            return None;
        }
        let operation = match rest {
            [] => Operation::ServiceDocument,
            [name] => match name.to_ascii_lowercase().as_str() {
                "invokecommand" => Operation::Invoke,
                "$batch" => Operation::Batch,
                "exomodulefile" => Operation::ModuleFile,
                "exobanner('autogensession')" => Operation::Banner,
                "$metadata" => Operation::Metadata,
                _ => Operation::Read(Read::of(rest)?),
            },
            _ => Operation::Read(Read::of(rest)?),
        };
        Some(Route { tenant: tenant.clone(), operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_any_case_and_with_escapes() {
        let operation = |path: &str| Route::of(path).map(|route| route.operation);
        assert_eq!(operation("/adminapi/beta/t/InvokeCommand"), Some(Operation::Invoke));
        assert_eq!(operation("/AdminApi/v1.0/t/EXOModuleFile"), Some(Operation::ModuleFile));
        assert_eq!(operation("/adminapi/beta/t/%24batch"), Some(Operation::Batch));
        assert_eq!(operation("/adminapi/beta/t/EXOBanner(%27AutogenSession%27)"), Some(Operation::Banner));
        assert_eq!(operation("/adminapi/beta/t/"), Some(Operation::ServiceDocument));
        for nothing in ["/", "/adminapi/beta", "/adminapi/v3/t/InvokeCommand", "/x/beta/t/InvokeCommand"] {
            assert_eq!(operation(nothing), None, "{nothing}");
        }
        assert_eq!(Route::of("/adminapi/beta/contoso.example/$metadata").unwrap().tenant, "contoso.example");
    }
}
