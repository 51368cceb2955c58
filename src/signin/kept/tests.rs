//! Against a Vault in memory, where somebody else writes too.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;

use super::*;
use crate::secrets::{Secret, SecretError};
use crate::signin::{AccessToken, TokenFacts};
use crate::spec::job::{Signature, TransitRef};

/// A place that others write to, so many times before ours is first.
struct Contested {
    others: u32,
    writes: AtomicU32,
}

#[async_trait]
impl SecretSource for Contested {
    async fn read(&self, reference: &CredentialRef) -> Result<Secret, SecretError> {
        let CredentialRef::Vault(place) = reference else { panic!("{reference}") };
        assert_eq!(*place, place.newest(), "what is kept is read whole and in its newest version");
        let named = std::iter::once(("refresh_token".to_owned(), SecretString::from("canary")));
        let version = Some(u64::from(self.writes.load(Ordering::SeqCst)) + 1);
        Ok(Secret::Fields(Fields { named: named.collect(), version, ..Fields::default() }))
    }

    async fn keep(&self, place: &VaultRef, _: &Fields, expected: Expected) -> Result<Kept, SecretError> {
        assert_eq!(*place, place.newest());
        let writes = self.writes.fetch_add(1, Ordering::SeqCst);
        assert_eq!(expected, Expected::Version(u64::from(writes) + 1));
        Ok(if writes < self.others { Kept::Conflict } else { Kept::Now(u64::from(writes) + 2) })
    }

    async fn forget(&self, _: &VaultRef) -> Result<(), SecretError> {
        panic!("nothing is deleted")
    }

    async fn sign(&self, _: &TransitRef, _: &[u8], _: Signature) -> Result<Vec<u8>, SecretError> {
        panic!("nothing is signed")
    }
}

async fn kept(others: u32) -> (Result<u64, SigninError>, u32) {
    let clocks = Clocks::simulated(Duration::ZERO, "2026-11-28T16:00:00Z".parse().unwrap(), 1.0);
    let secrets = Arc::new(Contested { others, writes: AtomicU32::new(0) });
    let place = VaultRef {
        mount: "secret".to_owned(),
        path: "people/navin".to_owned(),
        field: Some("refresh_token".to_owned()),
        version: Some(1),
    };
    let source: Arc<dyn SecretSource> = Arc::clone(&secrets) as Arc<dyn SecretSource>;
    let kept = KeptToken::new(&place, source, clocks.clone(), TaskTracker::new());
    let token = AccessToken {
        secret: SecretString::from("canary"),
        facts: TokenFacts::default(),
        issued_at: clocks.wall(),
        expires_at: clocks.wall(),
    };
    let granted = Granted { token, refresh: Some(SecretString::from("canary-new")) };
    let outcome = kept.keep_new("an-application", &granted).await;
    (outcome, secrets.writes.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_fresh_sign_in_replaces_what_a_run_has_written_meanwhile() {
    let (outcome, writes) = kept(2).await;
    assert_eq!((outcome.unwrap(), writes), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn who_is_never_first_gives_up_in_words() {
    let (outcome, writes) = kept(u32::MAX).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind, writes), (SigninErrorKind::Unavailable, CONFLICTS_MAX));
    let words =
        "the sign-in is not kept: in 10 tries somebody else was first to write vault:secret/people/navin;";
    assert!(error.message.starts_with(words), "{error}");
}
