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

/// Whether a code may only mean that the service has not heard of a new application or certificate yet.
/// Source: protocol reference, 2.7 and 2.12.
pub(super) fn may_settle(code: u32) -> bool {
    matches!(code, 700_027 | 700_016)
}

/// Refusals that stay whoever signs in anew: of the account, of policies, of the application, of the tenant.
/// Source: protocol reference, 2.12.
const NOT_BY_A_PERSON: [u32; 46] = [
    50_034, 50_053, 50_057, 50_020, 90_072, 50_105, 50_131, 53_000, 53_001, 53_002, 53_003, 530_003, 530_032,
    530_034, 530_035, 500_021, 500_022, 500_212, 500_213, 50_097, 65_001, 65_002, 90_094, 650_052, 650_056,
    650_057, 700_016, 700_011, 7_000_112, 70_001, 70_002, 700_025, 7_000_218, 70_011, 90_002, 50_128, 50_059,
    900_023, 90_038, 900_384, 900_432, 500_011, 50_194, 90_099, 9_001_023, 90_014,
];

/// Whether a person who signs in anew may end this refusal; nothing is known of most codes, so that they may try.
pub(super) fn may_end_by_a_new_sign_in(code: u32) -> bool {
    !NOT_BY_A_PERSON.contains(&code)
}

/// The next step.
pub fn advice(code: u32) -> Option<&'static str> {
    of_users(code)
        .or_else(|| of_policies(code))
        .or_else(|| of_applications(code))
        .or_else(|| of_tenants(code))
}

/// About the account that signs in, its password, its factors and its sessions.
fn of_users(code: u32) -> Option<&'static str> {
    Some(match code {
        50_034 => "the user does not exist in this tenant: check the user principal name and `tenant`",
        50_053 => {
            "the account is locked after too many attempts, or the address is blocked: wait, unlock the account, or check \
             where this host's traffic leaves"
        }
        50_055 => "the password has expired: the user sets a new one in a browser",
        50_056 => {
            "the directory has no password for this user: set one, or sign in by `method: device` or `browser`"
        }
        50_057 => "the account is disabled: enable it, or sign in as another user",
        50_126 => {
            "wrong user name or password; a Temporary Access Pass is no password: check the secret, or use an application"
        }
        50_072 | 50_079 => {
            "the user must register for multi-factor authentication: sign in once in a browser"
        }
        50_074 | 50_076 | 50_078 => {
            "multi-factor authentication is required: sign in by `method: device` or `browser`, or use an application"
        }
        50_158 => {
            "another provider's factor is required: sign in by `method: device` or `browser`, or use an application"
        }
        50_173 | 50_133 | 50_132 => {
            "the kept sign-in was revoked, as by a new password: sign in again (`exorun login`)"
        }
        70_043 => "the policy on sign-in frequency ended the kept sign-in: sign in again (`exorun login`)",
        700_082 => "the kept sign-in was not used for 90 days: sign in again (`exorun login`)",
        700_084 => {
            "the kept sign-in is a single-page application's, which ends after 24 hours: register the redirect as a mobile \
             and desktop one, then `exorun login`"
        }
        50_020 | 90_072 => {
            "the account is not in this tenant: check `tenant`; a partner's user needs the guest account or GDAP"
        }
        16_000 | 50_058 => "a person has to sign in: run `exorun login`, or use an application",
        50_135 => "the user has to change the password: sign in once in a browser",
        50_012 => {
            "the proof was refused, as one that was used before is: run again; if it stays so, make the credential anew"
        }
        80_001..=80_014 => {
            "the on-premises agent for pass-through authentication failed: ask who runs it, or sign in as a cloud account"
        }
        70_016 => "nobody has confirmed the code yet: enter it in a browser",
        70_018 => "the device code is wrong: start again",
        70_019 | 70_020 => "the device code has expired: start again, and confirm it within 15 minutes",
        54_005 => "the authorization code was used before: start again",
        700_005 | 70_008 => "the code or the kept sign-in has expired: sign in again (`exorun login`)",
        _ => return None,
    })
}

/// About Conditional Access and what else forbids a sign-in that is right.
fn of_policies(code: u32) -> Option<&'static str> {
    Some(match code {
        53_003 => {
            "Conditional Access blocks this sign-in; policies often forbid the device code flow: use `method: browser` or an \
             application, or ask who owns the policies"
        }
        53_000 | 53_001 | 50_131 | 530_003 => {
            "Conditional Access wants a compliant or joined device: sign in from one, or use an application"
        }
        53_002 => {
            "Conditional Access wants an approved application: use one of your own, or ask who owns the policies"
        }
        53_004 => {
            "the user must prove who they are before registering for multi-factor authentication: sign in once in a browser"
        }
        530_032 => "the tenant's security policy blocks this sign-in: ask the tenant's administrators",
        530_034 => "delegated administrators are blocked from this tenant: ask the customer",
        530_035 => {
            "security defaults block this sign-in: use an application, or a client that signs in by modern means"
        }
        50_097 => "the device has to prove itself: sign in from a registered one, or use an application",
        500_021 | 500_022 | 500_212 | 500_213 => {
            "tenant restrictions or cross-tenant access forbid this tenant from here: ask who owns the proxy and the policies"
        }
        50_105 => {
            "the user is not assigned to the application: assign the user, or switch off `Assignment required`"
        }
        _ => return None,
    })
}

/// About the application, its credentials, its consent and its redirects.
fn of_applications(code: u32) -> Option<&'static str> {
    Some(match code {
        7_000_215 => {
            "the client secret is wrong: use the secret's value, not its id, and of this application"
        }
        7_000_222 => "the client secret has expired: make a new one",
        700_016 | 700_011 => {
            "the application does not exist in this tenant: check `client_id` and `tenant`, and grant consent; a new one takes \
             a few minutes"
        }
        7_000_112 | 70_001 => {
            "the application is disabled or not known in this tenant: enable its service principal"
        }
        700_025 => {
            "this is a public client and takes no secret: use `method: device`, or another application"
        }
        7_000_218 => {
            "the application does not allow public client flows: enable them, or use a method with a credential"
        }
        700_024 => {
            "the proof is not within its time: set this host's clock right (NTP); a federated token may have expired"
        }
        700_027 => {
            "the certificate is not uploaded to this application, or its signature does not fit: upload the certificate that \
             belongs to this key; a new one takes a few minutes"
        }
        700_030 => "the certificate is not valid: upload one that is not expired and not revoked",
        700_021 => "the federated token or assertion is for another application: check `client_id`",
        700_023 => "the assertion is for another tenant or cloud: check `tenant` and `environment`",
        70_021 | 700_211 | 700_212 | 700_213 => {
            "no federated credential of the application has this issuer, audience and subject: add one that says exactly what \
             the message quotes"
        }
        700_229 => {
            "the token that was presented is an application's and cannot stand for it: use a workload's own token"
        }
        65_001 | 90_094 => {
            "consent is missing: an administrator must consent to the application and its Exchange permission"
        }
        65_004 => "the user declined consent: sign in again and accept, or let an administrator consent",
        65_002 => {
            "this application may not ask for Exchange: leave out `client_id` to use the module's own, or consent to your own"
        }
        650_052 => "the organization has no subscription for Exchange Online, or its service is disabled",
        650_056 | 650_057 => {
            "the application does not list Exchange among its permissions: add `Exchange.ManageAsApp` (applications) or \
             `Exchange.Manage` (people), then consent"
        }
        50_011 => {
            "the redirect does not fit the registration: register `http://localhost` as a mobile and desktop redirect"
        }
        50_147 | 501_481 | 501_491 => "the proof of the authorization code (PKCE) does not fit: start again",
        70_000 => "the grant is not valid (any more): sign in again (`exorun login`)",
        70_002 => "the application or its credential is not right: check `client_id` and `credential`",
        70_011 => {
            "the scope is not valid: check the settings `exchange_scope` and `compliance_scope`, and `environment`"
        }
        _ => return None,
    })
}

/// About tenants, clouds and the form of requests.
fn of_tenants(code: u32) -> Option<&'static str> {
    Some(match code {
        90_002 | 50_128 | 50_059 => "the tenant is not known: check `tenant` and `environment`",
        900_023 => "`tenant` is neither a domain nor a GUID of a tenant: write the initial domain",
        90_038 | 900_384 | 900_432 => "the tenant lives in another cloud: check `environment`",
        500_011 => {
            "the tenant has no Exchange Online, or the resource belongs to another cloud: check `environment`"
        }
        50_194 => {
            "the application is of one tenant and was asked for at another place: make it multitenant, or name its own tenant"
        }
        90_099 => {
            "the partner's application is not authorised in the customer's tenant: the customer's administrator must consent"
        }
        9_001_023 => "this way to sign in needs a tenant of its own: name it in `tenant`",
        50_196 | 90_055 => {
            "the sign-in service throttles this client: wait before the next run, and look for runs in a loop"
        }
        90_014 | 900_144 | 9_002_313 => {
            "the sign-in service found the request incomplete: is a proxy changing it, or a field of the credential empty?"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protocol reference, 2.12, row by row.
    const TABLE: &[u32] = &[
        50034, 50053, 50055, 50056, 50057, 50126, 50072, 50079, 50074, 50076, 50078, 50158, 50173, 50133,
        50132, 50020, 90072, 50105, 50128, 50059, 90002, 50131, 53000, 53001, 53002, 53003, 53004, 530003,
        530032, 530034, 530035, 500021, 500022, 500212, 500213, 500011, 50011, 50147, 501481, 501491, 54005,
        700005, 70008, 50194, 50196, 90055, 50097, 65001, 65004, 90094, 650052, 650056, 650057, 65002,
        700016, 700011, 7000112, 700025, 7000218, 700024, 700027, 700030, 7000215, 7000222, 70000, 70001,
        70002, 70011, 70016, 70018, 70019, 70020, 70043, 700082, 700084, 80001, 80007, 80014, 90014, 900144,
        900023, 9002313, 90038, 900384, 900432, 90099, 9001023, 16000, 50058, 50135, 50012,
        // 2.10.
        70021, 700211, 700212, 700213, 700229,
    ];

    #[test]
    fn every_code_of_the_reference_has_a_next_step() {
        for code in TABLE {
            let text = advice(*code).unwrap_or_else(|| panic!("{code} has no advice"));
            assert!(text.len() > 20 && !text.ends_with('.') && !text.contains('\n'), "{code}: {text}");
        }
        assert_eq!(advice(1), None);
    }

    #[test]
    fn a_code_is_found_in_the_services_sentence() {
        assert_eq!(code_in("AADSTS7000215: Invalid client secret provided."), Some(7_000_215));
        assert_eq!(code_in("AADSTS: nothing"), None);
        assert!(advice(7_000_215).is_some_and(|advice| advice.contains("secret's value")));
    }

    #[test]
    fn nobody_is_sent_to_sign_in_anew_in_vain() {
        for code in NOT_BY_A_PERSON {
            let text = advice(code).unwrap_or_else(|| panic!("{code} is of no row of the table"));
            assert!(TABLE.contains(&code) && !text.contains("exorun login"), "{code}: {text}");
        }
        // What the advice sends to sign in, a kept sign-in's end must as well.
        for code in
            TABLE.iter().filter(|code| advice(**code).is_some_and(|text| text.contains("exorun login")))
        {
            assert!(may_end_by_a_new_sign_in(*code), "{code}");
        }
        assert!(may_end_by_a_new_sign_in(1), "nothing is known of it");
    }

    #[test]
    fn only_the_codes_of_the_client_policy_pass_by_themselves() {
        let throttling: Vec<u32> = TABLE.iter().copied().filter(|code| is_throttling(*code)).collect();
        let settling: Vec<u32> = TABLE.iter().copied().filter(|code| may_settle(*code)).collect();
        assert_eq!((throttling, settling), (vec![50_196, 90_055], vec![700_016, 700_027]));
    }
}
