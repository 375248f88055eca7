//! `kesako compose pull`, and how all of compose pulls.

use super::images::Image;
use crate::command::pull;
use crate::session;
use ::compose::steps::Report;
use ::daemon::Client;
use ::registry::Reference;
use engine::api::Progress;

/// Pulls an image, and tells how that goes. That it cannot be had is only a warning where it can be built instead.
pub(super) async fn pull(
    client: &Client,
    image: &Image,
    can_be_built: bool,
    quiet: bool,
    report: &dyn Report,
) -> anyhow::Result<()> {
    let object = format!("Image {}", image.name);
    report.working(&object, "Pulling");
    match transfer(client, image, quiet).await {
        Ok(()) => report.done(&object, "Pulled"),
        Err(error) => {
            // The daemon's own words, as docker compose shows them here; the error has its mark.
            let text = match error.downcast_ref::<::daemon::Error>() {
                Some(answer) => answer.message.clone(),
                None => session::message(&error),
            };
            match can_be_built {
                true => report.warning(&object, &text),
                false => report.failed(&object, &text),
            }
            return Err(error);
        }
    }
    Ok(())
}

async fn transfer(client: &Client, image: &Image, _quiet: bool) -> anyhow::Result<()> {
    let reference = Reference::parse(&image.name)?.or_latest();
    let platform = Some(image.platform.as_str()).filter(|platform| !platform.is_empty());
    let mut lines = pull::request(client, &reference, platform)?.lines().await?;
    while let Some(progress) = lines.next::<Progress>().await? {
        if let Some(error) = &progress.error {
            anyhow::bail!("{}", progress.error_detail.as_ref().map_or(error, |detail| &detail.message));
        }
    }
    Ok(())
}
