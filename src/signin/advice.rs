//! What an administrator does about an `AADSTS` code. Source: protocol reference, 2.12.

/// The code in a text such as `AADSTS7000215: Invalid client secret …`.
pub(super) fn code_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Whether a code says that this client asks too often. Source: protocol reference, 2.12.
pub(super) fn is_throttling(code: u32) -> bool {
    matches!(code, 50_196 | 90_055)
}

/// The next step, for the codes that unattended jobs meet.
pub(super) fn advice(code: u32) -> Option<&'static str> {
    Some(match code {
        7_000_215 => "the client secret is wrong: use the secret's value, not its id",
        7_000_222 => "the client secret has expired: make a new one",
        700_016 | 700_011 => {
            "the application does not exist in this tenant: check `client_id` and `tenant`, and grant consent"
        }
        7_000_112 => "the application is disabled in this tenant",
        700_025 => {
            "this is a public client and takes no secret: use `method: device`, or another application"
        }
        7_000_218 => {
            "the application does not allow public client flows: enable them, or use a confidential method"
        }
        90_002 | 50_128 | 50_059 => "the tenant is not known: check `tenant` and `environment`",
        90_038 | 900_384 | 900_432 => "the tenant lives in another cloud: check `environment`",
        500_011 => {
            "the tenant has no Exchange Online, or the resource belongs to another cloud: check `environment`"
        }
        65_001 | 90_094 => "consent is missing: an administrator must consent to the application",
        650_052 => "the organization has no subscription for Exchange Online",
        53_003 => {
            "Conditional Access blocks this sign-in: the policy may forbid the device code flow; use an application"
        }
        50_131 | 53_000..=53_004 | 530_003 | 530_032 | 530_034 | 530_035 => {
            "Conditional Access or security defaults block this sign-in: ask who owns the policies"
        }
        50_072 | 50_079 => {
            "the user must register for multi-factor authentication: sign in once in a browser"
        }
        50_074 | 50_076 | 50_078 => {
            "multi-factor authentication is required: sign in with `method: device`, or use an application"
        }
        50_126 => "wrong user name or password",
        50_053 => "the account is locked, or the address is blocked: wait, or ask an administrator",
        50_034 => "the user does not exist in this tenant: check the user principal name",
        50_020 | 90_072 => "the account is not in this tenant",
        50_057 => "the account is disabled",
        50_173 | 50_133 | 50_132 | 70_043 | 700_082 | 700_084 => {
            "the sign-in is no longer valid: sign in again"
        }
        50_196 | 90_055 => "the sign-in service throttles this client: wait before the next run",
        70_018..=70_020 => "the code is wrong or has expired: start again",
        700_024 => "the host's clock is off: mend the time",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_the_services_sentence() {
        assert_eq!(code_in("AADSTS7000215: Invalid client secret provided."), Some(7_000_215));
        assert_eq!(code_in("AADSTS: nothing"), None);
        assert!(advice(7_000_215).is_some_and(|advice| advice.contains("secret's value")));
        assert_eq!(advice(1), None);
    }
}
