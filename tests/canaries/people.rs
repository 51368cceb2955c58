//! Secrets of people.

use exorun::emulator::{DeviceApproval, Options};

use crate::scene::{Ends, Scene};

/// Given by the emulator, not planted: every scene looks for what its tokens begin with.
pub(crate) async fn refresh_token(ends: Ends) -> Option<Scene> {
    let options = Options { device_approval: DeviceApproval::AfterPolls(0), ..Options::default() };
    let mut scene = Scene::new(ends, options).await;
    scene.by("{method: device}");
    Some(scene)
}
