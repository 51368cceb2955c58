//! How long the service lets a cmdlet work, where that is longer than for most. Source: protocol reference, 3.12.

use std::time::Duration;

use crate::catalog::CmdletName;

/// What most cmdlets get: the service ends them after 15 minutes, and its module waits a minute more.
pub const USUAL: Duration = Duration::from_secs(15 * 60 + 60);

const HOUR: Duration = Duration::from_secs(60 * 60 + 60);
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60 + 60);

/// Longer than [`USUAL`], as the module waits for them.
const LONGER: [(&str, Duration); 6] = [
    ("Get-DistributionGroupMember", HOUR),
    ("Import-TransportRuleCollection", HOUR),
    ("Set-UnifiedGroup", HOUR),
    ("Update-DistributionGroupMember", HOUR),
    ("Set-OrganizationConfig", HALF_AN_HOUR),
    ("Update-RoleGroupMember", HALF_AN_HOUR),
];

/// How long one request of `cmdlet` may take where others may take `usual`. Who sets less than [`USUAL`] wants it for
/// every cmdlet.
pub fn of(cmdlet: &CmdletName, usual: Duration) -> Duration {
    let longer = LONGER.iter().find(|(name, _)| *name == cmdlet.as_str()).map(|(_, limit)| *limit);
    match longer {
        Some(longer) if usual >= USUAL => longer.max(usual),
        _ => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(cmdlet: &str, usual: u64) -> u64 {
        let name = CmdletName::known(cmdlet).or_else(|| CmdletName::uncatalogued(cmdlet)).unwrap();
        of(&name, Duration::from_secs(usual)).as_secs()
    }

    #[test]
    fn slow_cmdlets_get_the_services_own_limit_and_a_minute() {
        for (name, longer) in LONGER {
            assert_eq!(limit(name, 960), longer.as_secs(), "{name}");
        }
        assert_eq!(limit("Set-Mailbox", 960), 960);
        assert_eq!(limit("Set-UnifiedGroup", 7200), 7200, "a longer setting wins");
        assert_eq!(limit("Set-UnifiedGroup", 30), 30, "a shorter one is for every cmdlet");
    }
}
