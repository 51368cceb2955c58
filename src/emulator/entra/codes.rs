//! Entra's numbers: what a refusal of a person says.
//!
//! Source: protocol reference, 2.12.

/// Number, text, and the `suberror` that tells a client whether a person can mend it.
const CODES: &[(u32, &str, Option<&str>)] = &[
    (
        50_011,
        "The redirect URI specified in the request does not match the redirect URIs configured for the application.",
        None,
    ),
    (
        50_020,
        "User account from the identity provider does not exist in the tenant and cannot access the application in that tenant.",
        None,
    ),
    (
        50_034,
        "The user account does not exist in the directory. To sign into this application, the account must be added to the directory.",
        None,
    ),
    (
        50_053,
        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
        None,
    ),
    (50_055, "The password is expired.", Some("user_password_expired")),
    (50_056, "Invalid or null password: password does not exist in the directory for this user.", None),
    (50_057, "The user account is disabled.", None),
    (
        50_072,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication.",
        MEND,
    ),
    (50_074, "Strong Authentication is required.", MEND),
    (
        50_076,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.",
        MEND,
    ),
    (
        50_078,
        "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication.",
        MEND,
    ),
    (
        50_079,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the resource.",
        MEND,
    ),
    (50_097, "Device authentication is required.", MEND),
    (50_105, "The signed in user is not assigned to a role for the application.", None),
    (50_126, "Error validating credentials due to invalid username or password.", None),
    (
        50_131,
        "Used in various Conditional Access errors: a bad Windows device state, or a request blocked due to suspicious activity, access policy, or security policy decisions.",
        BLOCKED,
    ),
    (50_132, "The session is not valid due to password expiration or recent password change.", TOKEN),
    (50_133, "The session is not valid due to password expiration or recent password change.", TOKEN),
    (
        50_158,
        "External security challenge not satisfied. User will be redirected to another page or authentication provider to satisfy additional authentication challenges.",
        MEND,
    ),
    (
        50_173,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
        TOKEN,
    ),
    (
        53_000,
        "Device is not in required device state. Conditional Access policy requires a compliant device, and the device is not compliant.",
        BLOCKED,
    ),
    (
        53_001,
        "Device is not in required device state. Conditional Access policy requires a domain joined device, and the device is not domain joined.",
        BLOCKED,
    ),
    (53_002, "The app used isn't an approved app for Conditional Access.", BLOCKED),
    (
        53_003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        BLOCKED,
    ),
    (
        53_004,
        "User needs to complete the multi-factor authentication registration process before accessing this content.",
        MEND,
    ),
    (
        65_001,
        "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.",
        Some("consent_required"),
    ),
    (65_004, "User declined to consent to access the app.", None),
    (
        70_043,
        "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access.",
        TOKEN,
    ),
    (
        90_072,
        "User account from the external identity provider does not exist in the tenant and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first.",
        None,
    ),
    (90_094, "An administrator of the organization has to grant the application its permissions.", None),
    (500_021, "Access to the tenant is denied by tenant restrictions.", None),
    (530_003, "Your device is required to be managed to access this resource.", BLOCKED),
    (530_032, "Blocked by the tenant's security policy.", BLOCKED),
    (
        530_034,
        "A delegated administrator was blocked from accessing the tenant due to account risk in their home tenant.",
        BLOCKED,
    ),
    (530_035, "Access has been blocked by security defaults.", BLOCKED),
    (
        650_052,
        "The app is trying to access a service that your organization lacks a service principal or a subscription for.",
        None,
    ),
];

const MEND: Option<&str> = Some("basic_action");
const BLOCKED: Option<&str> = Some("message_only");
const TOKEN: Option<&str> = Some("bad_token");

/// Text and `suberror` of a code that a person can meet; `None`: the emulator cannot play it.
pub(in crate::emulator) fn of_person(code: u32) -> Option<(&'static str, Option<&'static str>)> {
    CODES.iter().find(|(own, ..)| *own == code).map(|(_, text, suberror)| (*text, *suberror))
}

/// Whether Entra asks for more than a password, and names it in `claims` for an interactive request.
pub(super) fn wants_claims(code: u32) -> bool {
    matches!(code, 50_072 | 50_074 | 50_076 | 50_078 | 50_079 | 50_158 | 53_000..=53_003)
}
