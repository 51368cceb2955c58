//! Which rights in a token let its bearer call cmdlets. Source: protocol reference, 2.1, which knows few tokens: so a setting
//! can have any name taken.

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// Its `roles` count.
    Application,
    /// Its `scp` counts.
    Person,
}

/// Which names are expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Those that are known to let a bearer in.
    #[default]
    Known,
    /// Whatever there is: the service decides.
    Any,
}

/// What a token's rights are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// One of them is known to let its bearer call cmdlets.
    Known,
    /// They are of the Admin API's version 2.0, which is another, smaller surface: `InvokeCommand` refuses them.
    OtherApi,
    /// None is known to.
    Unknown,
    /// There are none.
    Nothing,
}

/// The role of applications.
const OF_APPLICATIONS: &[&str] = &["Exchange.ManageAsApp"];
/// The scope of people's own applications.
const OF_PEOPLE: &[&str] = &["Exchange.Manage"];
/// What scopes of Microsoft's own applications begin with.
const OF_MODULES: &[&str] = &["AdminApi.", "FfoPowerShell.", "RemotePowerShell."];
/// Of the Admin API's version 2.0.
const OF_OTHER_API: &[&str] = &["Exchange.ManageAsAppV2", "Exchange.ManageV2"];

/// What `rights` are worth to `bearer`.
pub fn worth(bearer: Bearer, rights: &[String]) -> Worth {
    let has =
        |known: &[&str]| rights.iter().any(|own| known.iter().any(|known| own.eq_ignore_ascii_case(known)));
    let begins = |own: &String, start: &str| {
        own.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
    };
    let is_known = match bearer {
        Bearer::Application => has(OF_APPLICATIONS),
        Bearer::Person => {
            has(OF_PEOPLE) || rights.iter().any(|own| OF_MODULES.iter().any(|start| begins(own, start)))
        }
    };
    match is_known {
        true => Worth::Known,
        false if rights.is_empty() => Worth::Nothing,
        false if has(OF_OTHER_API) => Worth::OtherApi,
        false => Worth::Unknown,
    }
}

/// Whether a token with such rights is used.
pub fn is_taken(worth: Worth, expected: Expected) -> bool {
    match expected {
        Expected::Known => worth == Worth::Known,
        Expected::Any => worth != Worth::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bearer: Bearer, rights: &str) -> Worth {
        let rights: Vec<String> = rights.split_whitespace().map(str::to_owned).collect();
        worth(bearer, &rights)
    }

    #[test]
    fn what_lets_an_application_in_is_not_what_lets_a_person_in() {
        for (rights, application, person) in [
            ("Exchange.ManageAsApp", Worth::Known, Worth::Unknown),
            ("other exchange.manageasapp", Worth::Known, Worth::Unknown),
            ("Exchange.Manage", Worth::Unknown, Worth::Known),
            ("AdminApi.AccessAsUser.All", Worth::Unknown, Worth::Known),
            ("User.Read FfoPowerShell.AccessAsUser.All", Worth::Unknown, Worth::Known),
            ("RemotePowerShell.AccessAsUser.All", Worth::Unknown, Worth::Known),
            ("Exchange.ManageAsAppV2", Worth::OtherApi, Worth::OtherApi),
            ("Exchange.ManageV2 User.Read", Worth::OtherApi, Worth::OtherApi),
            ("Exchange.ManageAsApp Exchange.ManageAsAppV2", Worth::Known, Worth::OtherApi),
            ("full_access_as_app EWS.AccessAsUser.All Mail.Read", Worth::Unknown, Worth::Unknown),
            ("Exchange.ManageAsAppX AdminApi", Worth::Unknown, Worth::Unknown),
            ("", Worth::Nothing, Worth::Nothing),
        ] {
            assert_eq!(of(Bearer::Application, rights), application, "an application's {rights}");
            assert_eq!(of(Bearer::Person, rights), person, "a person's {rights}");
        }
    }

    #[test]
    fn a_setting_takes_any_right_but_none_at_all() {
        for (worth, known, any) in [
            (Worth::Known, true, true),
            (Worth::OtherApi, false, true),
            (Worth::Unknown, false, true),
            (Worth::Nothing, false, false),
        ] {
            assert_eq!((is_taken(worth, Expected::Known), is_taken(worth, Expected::Any)), (known, any));
        }
    }
}
