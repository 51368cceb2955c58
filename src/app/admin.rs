//! What the admin server needs, from the settings.

use crate::clocks::Clocks;
use crate::observe::admin::{AdminConfig, Times, TlsFiles};
use crate::settings::Settings;

/// How the admin server is to listen; `None`: it is off.
pub fn admin_config(settings: &Settings, clocks: &Clocks) -> Option<AdminConfig> {
    let admin = settings.admin.as_ref()?;
    Some(AdminConfig {
        address: admin.address,
        token_file: admin.token_file.clone(),
        tls: admin.tls.clone().map(|(certificate, key)| TlsFiles { certificate, key }),
        connections_max: usize::try_from(admin.connections_max).unwrap_or(usize::MAX),
        times: Times::default(),
        clocks: clocks.clone(),
    })
}
