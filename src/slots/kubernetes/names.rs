//! How an account's Leases are called, found and told apart.
//!
//! ```text
//! exorun-<16 hex of the account's hash>-1 …    the slots
//! exorun-<16 hex of the account's hash>-opens  the budget of opens, the lowered limit and the line of those who wait
//! ```
//! Who they belong to stands in annotations, because a name has no room for it and a label would not take it.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::slots::AccountKey;

/// The format that this version writes. A newer one is refused, not guessed at.
pub(super) const FORMAT: u32 = 1;

/// Ours among the annotations; a prefix without a dot is allowed, and we own no domain.
pub(super) const PREFIX: &str = "exorun/";
pub(super) const FORMAT_KEY: &str = "exorun/format";
const CLOUD_KEY: &str = "exorun/cloud";
const TENANT_KEY: &str = "exorun/tenant-id";
const OBJECT_KEY: &str = "exorun/object-id";
const ACCOUNT_LABEL: &str = "exorun/account";

/// What every Lease of ours is labelled with.
const LABELS: [(&str, &str); 2] =
    [("app.kubernetes.io/managed-by", "exorun"), ("app.kubernetes.io/name", "exorun")];

/// An account's names.
#[derive(Clone, Debug)]
pub(super) struct Names {
    account: AccountKey,
    hash: String,
}

/// What a Lease of an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Slot(u32),
    Budget,
}

impl Names {
    pub(super) fn of(account: &AccountKey) -> Names {
        let mut hash = account.digest();
        hash.truncate(16);
        Names { account: account.clone(), hash }
    }

    pub(super) fn name(&self, purpose: Purpose) -> String {
        match purpose {
            Purpose::Slot(number) => format!("exorun-{}-{number}", self.hash),
            Purpose::Budget => format!("exorun-{}-opens", self.hash),
        }
    }

    /// Selects the account's Leases.
    pub(super) fn selector(&self) -> String {
        format!("{},{ACCOUNT_LABEL}={}", every_selector(), self.hash)
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let labels = LABELS.into_iter().chain([(ACCOUNT_LABEL, self.hash.as_str())]);
        labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Whether the selector finds `lease`.
    pub(super) fn is_labelled(&self, lease: &Lease) -> bool {
        let labels = lease.metadata.labels.as_ref();
        self.labels().iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    }

    /// Gives `lease` our labels; other people's stay.
    pub(super) fn label(&self, lease: &mut Lease) {
        lease.metadata.labels.get_or_insert_default().extend(self.labels());
    }

    /// A Lease that is not there yet: named, labelled, with its account.
    pub(super) fn new_lease(&self, purpose: Purpose) -> Lease {
        let AccountKey { cloud, tenant_id, object_id } = self.account.clone();
        let annotations = [(CLOUD_KEY, cloud), (TENANT_KEY, tenant_id), (OBJECT_KEY, object_id)];
        let metadata = ObjectMeta {
            name: Some(self.name(purpose)),
            labels: Some(self.labels()),
            annotations: Some(annotations.map(|(key, value)| (key.to_owned(), value)).into()),
            ..ObjectMeta::default()
        };
        Lease { metadata, spec: Some(LeaseSpec::default()) }
    }
}

/// Selects the Leases of all accounts.
pub(super) fn every_selector() -> String {
    LABELS.map(|(key, value)| format!("{key}={value}")).join(",")
}

/// What a Lease is for, by its name.
pub(super) fn purpose(lease: &Lease) -> Option<Purpose> {
    let (account, last) = lease.metadata.name.as_deref()?.rsplit_once('-')?;
    account.strip_prefix("exorun-")?;
    match last {
        "opens" => Some(Purpose::Budget),
        // `07` is another name than `7`.
        number => number.parse().ok().filter(|parsed: &u32| parsed.to_string() == number).map(Purpose::Slot),
    }
}

/// Whose a Lease is, if its annotations still say.
pub(super) fn account(lease: &Lease) -> Option<AccountKey> {
    let text = |key| annotation(lease, key).map(str::to_owned);
    let account =
        AccountKey { cloud: text(CLOUD_KEY)?, tenant_id: text(TENANT_KEY)?, object_id: text(OBJECT_KEY)? };
    Some(account)
}

pub(super) fn annotation<'a>(lease: &'a Lease, key: &str) -> Option<&'a str> {
    lease.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Replaces our annotations but for the account's; other people's stay.
pub(super) fn annotate(lease: &mut Lease, ours: Vec<(&str, String)>) {
    let annotations = lease.metadata.annotations.get_or_insert_default();
    let is_account = |key: &str| [CLOUD_KEY, TENANT_KEY, OBJECT_KEY].contains(&key);
    annotations.retain(|key, _| !key.starts_with(PREFIX) || is_account(key));
    annotations.insert(FORMAT_KEY.to_owned(), FORMAT.to_string());
    annotations.extend(ours.into_iter().map(|(key, value)| (key.to_owned(), value)));
}

/// The format of a Lease of ours; `None` if it does not say, or in no number.
pub(super) fn format(lease: &Lease) -> Option<u32> {
    annotation(lease, FORMAT_KEY)?.parse().ok()
}
