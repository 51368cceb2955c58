//! Accounts that a tenant has besides the made-up ones, and what people meet when they sign in.

/// What a person meets at each sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is refused with this AADSTS number.
    Refused(u32),
    /// The person's password belongs to another service.
    Federated,
    /// A verification code is asked for on the page; where there is no page, it is refused (AADSTS50076).
    SecondFactor,
}

impl Trouble {
    /// `mfa`, `disabled`, `locked`, `federated`, or the number of a refusal.
    fn parse(word: &str) -> Result<Trouble, String> {
        match word {
            "mfa" => Ok(Trouble::SecondFactor),
            "disabled" => Ok(Trouble::Refused(50_057)),
            "locked" => Ok(Trouble::Refused(50_053)),
            "federated" => Ok(Trouble::Federated),
            code => {
                let number: Option<u32> = code.strip_prefix("AADSTS").unwrap_or(code).parse().ok();
                let number = number.ok_or_else(|| {
                    format!("`{code}` is none of mfa, disabled, locked, federated and AADSTS50076 (a number)")
                })?;
                super::entra::of_person(number)
                    .map(|_| Trouble::Refused(number))
                    .ok_or_else(|| format!("AADSTS{number} is none of the codes that a person can meet here"))
            }
        }
    }
}

/// A person's trouble: `adele@contoso.onmicrosoft.com=AADSTS50076`, `…=federated`, or `…=none` to end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigninTrouble {
    /// The user principal name; case does not matter.
    pub upn: String,
    /// What is met; `None` ends it.
    pub trouble: Option<Trouble>,
}

impl std::str::FromStr for SigninTrouble {
    type Err = String;

    fn from_str(text: &str) -> Result<SigninTrouble, String> {
        let shape = || format!("`{text}` is not USER=AADSTS50076, USER=mfa, USER=federated or USER=none");
        let (upn, trouble) = text.rsplit_once('=').ok_or_else(shape)?;
        if !upn.contains('@') {
            return Err(shape());
        }
        let trouble = match trouble {
            "none" => None,
            word => Some(Trouble::parse(word)?),
        };
        Ok(SigninTrouble { upn: upn.to_owned(), trouble })
    }
}

/// A person of the tenant with every right: `navin@contoso.onmicrosoft.com`, or with what they meet,
/// `navin@contoso.onmicrosoft.com=mfa`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user principal name; case does not matter.
    pub upn: String,
    /// What is met at each sign-in, if anything.
    pub trouble: Option<Trouble>,
}

impl std::str::FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Account, String> {
        let (upn, trouble) = match text.split_once('=') {
            Some((upn, word)) => (upn, Some(Trouble::parse(word)?)),
            None => (text, None),
        };
        let named =
            upn.split_once('@').is_some_and(|(user, domain)| !user.is_empty() && domain.contains('.'));
        if !named || upn.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(format!("`{text}` is not USER@DOMAIN or USER@DOMAIN=mfa"));
        }
        Ok(Account { upn: upn.to_owned(), trouble })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_troubles_are_read() {
        let account = |text: &str| text.parse::<Account>().map(|account| account.trouble);
        assert_eq!(account("a@b.example"), Ok(None));
        assert_eq!(account("a@b.example=mfa"), Ok(Some(Trouble::SecondFactor)));
        assert_eq!(account("a@b.example=locked"), Ok(Some(Trouble::Refused(50_053))));
        for bad in ["a", "a@b", "@b.example", "a b@c.example", "a@b.example=", "a@b.example=AADSTS1"] {
            assert!(account(bad).is_err(), "{bad}");
        }
        let trouble = |text: &str| text.parse::<SigninTrouble>().map(|trouble| trouble.trouble);
        assert_eq!(trouble("a@b=none"), Ok(None));
        assert_eq!(trouble("a@b=disabled"), Ok(Some(Trouble::Refused(50_057))));
        assert!(trouble("a=mfa").is_err());
    }
}
