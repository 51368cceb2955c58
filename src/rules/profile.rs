//! What a host's profile refuses: practices that are fine for trying things out and not for a tenant that counts. Each
//! has a name by which it is allowed again, so that an exception is written down where an auditor finds it.

/// How strict a host is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Nothing is refused.
    #[default]
    Default,
    /// Every [`Practice`] is refused that is not allowed by name.
    Production,
}

impl Profile {
    /// As a setting spells them, the default first.
    pub const NAMES: &[&str] = &["default", "production"];

    /// The profile with this name; whoever reads settings has checked it.
    pub fn named(name: &str) -> Profile {
        if name == Profile::NAMES[1] { Profile::Production } else { Profile::Default }
    }
}

/// Something that a production host does not do unless it is allowed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Practice {
    /// A job says `unknown: allow`: what it calls was not reviewed by anybody.
    UnknownCmdlets,
    /// A user's name and password: no second factor, and Microsoft is retiring it.
    Password,
    /// A ready token in the environment: whoever reads `/proc` has it, and it is not renewed.
    EnvironmentAccessToken,
    /// `--record`: answers of the service on disk.
    RecordedBodies,
    /// A device code goes to a webhook: whoever reads it there can have somebody else confirm it.
    DeviceWebhook,
    /// The slots of an account are counted inside one pod, where no other pod sees them.
    LocalSlotsInPod,
    /// A service or Vault is asked by http, if only on loopback.
    PlainHttp,
}

impl Practice {
    /// All of them, in the order of the documentation.
    pub const ALL: [Practice; 7] = [
        Practice::UnknownCmdlets,
        Practice::Password,
        Practice::EnvironmentAccessToken,
        Practice::RecordedBodies,
        Practice::DeviceWebhook,
        Practice::LocalSlotsInPod,
        Practice::PlainHttp,
    ];

    /// The names of all of them.
    pub const NAMES: &[&str] = &{
        let mut names = [""; Practice::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Practice::ALL[at].name();
            at += 1;
        }
        names
    };

    /// By which it is allowed.
    pub const fn name(self) -> &'static str {
        match self {
            Practice::UnknownCmdlets => "unknown_cmdlets",
            Practice::Password => "password",
            Practice::EnvironmentAccessToken => "environment_access_token",
            Practice::RecordedBodies => "recorded_bodies",
            Practice::DeviceWebhook => "device_webhook",
            Practice::LocalSlotsInPod => "local_slots_in_pod",
            Practice::PlainHttp => "plain_http",
        }
    }

    /// What to do instead.
    const fn instead(self) -> &'static str {
        match self {
            Practice::UnknownCmdlets => "use a version of exorun whose catalog has what the job calls",
            Practice::Password => {
                "sign in an application with a certificate, or a person once with `exorun login`"
            }
            Practice::EnvironmentAccessToken => "keep the token in a file or in Vault, or let exorun sign in",
            Practice::RecordedBodies => "record against a test tenant",
            Practice::DeviceWebhook => "let the person who signs in start `exorun login`",
            Practice::LocalSlotsInPod => {
                "leave out the setting `slot_store`, so that pods share their slots as Leases"
            }
            Practice::PlainHttp => "use https",
        }
    }
}

/// One use of a practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What is done.
    pub practice: Practice,
    /// Where that is said, in words that begin a sentence: "the job `x` says `unknown: allow`".
    pub what: String,
}

/// What became of the uses: one line each, with the name that allows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The run must not begin.
    pub refused: Vec<String>,
    /// Allowed by name; said in the log of each run.
    pub allowed: Vec<String>,
}

/// Judges every use at once.
pub fn judge(profile: Profile, allowed: &[Practice], uses: &[Use]) -> Verdict {
    let mut verdict = Verdict::default();
    if profile == Profile::Default {
        return verdict;
    }
    for Use { practice, what } in uses {
        let name = practice.name();
        if allowed.contains(practice) {
            verdict.allowed.push(format!("{what}: the setting `allow` allows it by the name `{name}`"));
        } else {
            verdict.refused.push(format!(
                "{what}, which the profile `production` refuses: {}, or add `{name}` to the setting `allow`",
                practice.instead()
            ));
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses() -> Vec<Use> {
        Practice::ALL.into_iter().map(|practice| Use { practice, what: practice.name().to_owned() }).collect()
    }

    #[test]
    fn the_default_profile_refuses_and_warns_of_nothing() {
        assert_eq!(judge(Profile::Default, &[], &uses()), Verdict::default());
        assert_eq!(judge(Profile::Production, &Practice::ALL, &[]), Verdict::default());
    }

    #[test]
    fn production_refuses_everything_at_once_and_names_what_allows_it() {
        let verdict = judge(Profile::Production, &[], &uses());
        assert_eq!((verdict.refused.len(), verdict.allowed.len()), (Practice::ALL.len(), 0));
        for (practice, line) in Practice::ALL.into_iter().zip(&verdict.refused) {
            assert!(line.ends_with(&format!("add `{}` to the setting `allow`", practice.name())), "{line}");
        }
    }

    #[test]
    fn each_is_allowed_by_its_own_name_only() {
        for practice in Practice::ALL {
            let verdict = judge(Profile::Production, &[practice], &uses());
            assert_eq!((verdict.refused.len(), verdict.allowed.len()), (Practice::ALL.len() - 1, 1));
            assert!(verdict.allowed[0].starts_with(practice.name()), "{verdict:?}");
        }
    }

    #[test]
    fn profiles_are_known_by_name() {
        assert_eq!(
            Profile::NAMES.iter().map(|name| Profile::named(name)).collect::<Vec<_>>(),
            [Profile::default(), Profile::Production]
        );
    }
}
