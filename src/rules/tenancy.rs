//! In which cloud a tenant lives, as far as its discovery document says. Source: protocol reference, 1.1.

/// Where a job says that its tenant lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Worldwide, with GCC.
    Worldwide,
    /// US Government GCC High.
    GccHigh,
    /// US Government DoD.
    Dod,
    /// Operated by 21Vianet.
    China,
    /// Microsoft Cloud Deutschland, which is closed.
    Germany,
    /// A cloud of which only the endpoints file knows.
    Other,
}

/// Where a tenant lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// Worldwide.
    Worldwide,
    /// US Government GCC, at the worldwide addresses.
    Gcc,
    /// US Government GCC High.
    GccHigh,
    /// US Government DoD.
    Dod,
    /// One of the last two; the document does not say which.
    UsGovernment,
    /// Operated by 21Vianet.
    China,
}

impl Home {
    /// What a job writes as `environment`, in Microsoft's spelling.
    pub const fn environment(self) -> &'static str {
        match self {
            Home::Worldwide | Home::Gcc => "O365Default",
            Home::GccHigh => "O365USGovGCCHigh",
            Home::Dod => "O365USGovDoD",
            Home::UsGovernment => "O365USGovGCCHigh or O365USGovDoD",
            Home::China => "O365China",
        }
    }
}

/// What a discovery document says of the tenant's place. Each may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// `tenant_region_scope`: a region of the world, or `USG`.
    pub scope: Option<String>,
    /// `tenant_region_sub_scope`: `GCC`, `DODCON` or `DOD`.
    pub sub_scope: Option<String>,
    /// `cloud_instance_name`: a host name of the cloud.
    pub cloud_instance: Option<String>,
}

/// Whether a job may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It lives where the job says.
    Here(Home),
    /// It lives elsewhere: every token request would fail.
    Elsewhere(Home),
    /// The document does not say, or nothing that is known: go on.
    NotSaid,
}

/// Regions of the world: tenants with one of these and no sub-scope are worldwide ones.
const REGIONS: [&str; 9] = ["WW", "NA", "EU", "AS", "OC", "SA", "AF", "AP", "ME"];

/// Where the tenant of this document lives, if it says so.
pub fn home(region: &Region) -> Option<Home> {
    let is = |text: &Option<String>, wanted: &str| {
        text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    for (sub_scope, home) in [("DOD", Home::Dod), ("DODCON", Home::GccHigh), ("GCC", Home::Gcc)] {
        if is(&region.sub_scope, sub_scope) {
            return Some(home);
        }
    }
    let instance = region.cloud_instance.as_deref().unwrap_or_default().to_ascii_lowercase();
    if is(&region.scope, "USG") || is(&region.scope, "USGov") || instance.ends_with("microsoftonline.us") {
        return Some(Home::UsGovernment);
    }
    if instance.ends_with("microsoftonline.cn") || instance.ends_with("chinacloudapi.cn") {
        return Some(Home::China);
    }
    REGIONS.iter().any(|known| is(&region.scope, known)).then_some(Home::Worldwide)
}

/// Where a tenant lives that the sign-in service of `asked` knows. Regions of the world have the same names in each cloud, so
/// that it is the service then which says it.
pub fn home_at(asked: Asked, region: &Region) -> Option<Home> {
    match (home(region), asked) {
        (Some(home @ (Home::GccHigh | Home::Dod | Home::UsGovernment | Home::China)), _) => Some(home),
        (Some(Home::Gcc), Asked::Worldwide) => Some(Home::Gcc),
        (_, Asked::Worldwide) => Some(Home::Worldwide),
        (_, Asked::GccHigh | Asked::Dod) => Some(Home::UsGovernment),
        (_, Asked::China) => Some(Home::China),
        (_, Asked::Germany | Asked::Other) => None,
    }
}

/// Compares what the job says with what the document says. A region of the world alone is no evidence against a cloud
/// of one country: those have regions of their own under the same names.
pub fn verdict(asked: Asked, region: &Region) -> Verdict {
    let Some(home) = home(region) else { return Verdict::NotSaid };
    let fits = match (asked, home) {
        (Asked::Other, _) => return Verdict::NotSaid,
        (Asked::China | Asked::Germany, Home::Worldwide) => return Verdict::NotSaid,
        (Asked::Worldwide, home) => matches!(home, Home::Worldwide | Home::Gcc),
        (Asked::GccHigh, home) => matches!(home, Home::GccHigh | Home::UsGovernment),
        (Asked::Dod, home) => matches!(home, Home::Dod | Home::UsGovernment),
        (Asked::China, home) => home == Home::China,
        (Asked::Germany, _) => false,
    };
    if fits { Verdict::Here(home) } else { Verdict::Elsewhere(home) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(scope: &str, sub_scope: &str, instance: &str) -> Region {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Region { scope: text(scope), sub_scope: text(sub_scope), cloud_instance: text(instance) }
    }

    #[test]
    fn a_document_says_where_its_tenant_lives_or_nothing() {
        for (scope, sub_scope, instance, home_of_it) in [
            ("EU", "", "microsoftonline.com", Some(Home::Worldwide)),
            ("WW", "", "", Some(Home::Worldwide)),
            ("NA", "GCC", "microsoftonline.com", Some(Home::Gcc)),
            ("USG", "DODCON", "microsoftonline.us", Some(Home::GccHigh)),
            ("USGov", "dod", "", Some(Home::Dod)),
            ("USGov", "", "", Some(Home::UsGovernment)),
            ("", "", "microsoftonline.us", Some(Home::UsGovernment)),
            ("AS", "", "partner.microsoftonline.cn", Some(Home::China)),
            ("", "", "", None),
            ("XX", "NEW", "sovcloud.example", None),
        ] {
            assert_eq!(
                home(&region(scope, sub_scope, instance)),
                home_of_it,
                "{scope} {sub_scope} {instance}"
            );
        }
    }

    #[test]
    fn a_region_of_the_world_is_of_the_cloud_that_knows_the_tenant() {
        let asia = region("AS", "", "");
        for (asked, region, home) in [
            (Asked::Worldwide, &asia, Some(Home::Worldwide)),
            (Asked::China, &asia, Some(Home::China)),
            (Asked::GccHigh, &asia, Some(Home::UsGovernment)),
            (Asked::China, &Region::default(), Some(Home::China)),
            (Asked::Worldwide, &region("NA", "GCC", ""), Some(Home::Gcc)),
            // The worldwide service answers for those of the US government too.
            (Asked::Worldwide, &region("USGov", "DODCON", ""), Some(Home::GccHigh)),
            (Asked::GccHigh, &region("USGov", "DOD", ""), Some(Home::Dod)),
            (Asked::Other, &asia, None),
        ] {
            assert_eq!(home_at(asked, region), home, "{asked:?} {region:?}");
        }
    }

    #[test]
    fn only_what_is_known_to_be_elsewhere_is_refused() {
        let worldwide = region("EU", "", "");
        let gcc = region("NA", "GCC", "");
        let high = region("USGov", "DODCON", "");
        let government = region("USG", "", "");
        let china = region("AS", "", "partner.microsoftonline.cn");
        let nothing = Region::default();
        for (asked, region, expected) in [
            (Asked::Worldwide, &worldwide, Verdict::Here(Home::Worldwide)),
            (Asked::Worldwide, &gcc, Verdict::Here(Home::Gcc)),
            (Asked::Worldwide, &high, Verdict::Elsewhere(Home::GccHigh)),
            (Asked::Worldwide, &government, Verdict::Elsewhere(Home::UsGovernment)),
            (Asked::Worldwide, &china, Verdict::Elsewhere(Home::China)),
            (Asked::GccHigh, &high, Verdict::Here(Home::GccHigh)),
            (Asked::GccHigh, &government, Verdict::Here(Home::UsGovernment)),
            (Asked::GccHigh, &worldwide, Verdict::Elsewhere(Home::Worldwide)),
            (Asked::GccHigh, &gcc, Verdict::Elsewhere(Home::Gcc)),
            (Asked::Dod, &high, Verdict::Elsewhere(Home::GccHigh)),
            (Asked::China, &worldwide, Verdict::NotSaid),
            (Asked::China, &china, Verdict::Here(Home::China)),
            (Asked::China, &high, Verdict::Elsewhere(Home::GccHigh)),
            (Asked::Germany, &worldwide, Verdict::NotSaid),
            (Asked::Germany, &gcc, Verdict::Elsewhere(Home::Gcc)),
            (Asked::Other, &high, Verdict::NotSaid),
            (Asked::Worldwide, &nothing, Verdict::NotSaid),
        ] {
            assert_eq!(verdict(asked, region), expected, "{asked:?} {region:?}");
        }
    }
}
