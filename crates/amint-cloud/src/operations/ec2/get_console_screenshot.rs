use amint_guest::Screen;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jpeg_encoder::{ColorType, Encoder, EncodingError};
use tokio::sync::oneshot;

use super::instances;
use crate::machines::Command;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::InstanceState;

/// How much of a picture is kept: letters stay sharp.
const QUALITY_PERCENT: u8 = 85;

/// Shows the screen of an instance that runs, as a JPEG.
pub(crate) fn get_console_screenshot(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = instances::id(params)?;
    let is_woken = params.boolean("WakeUp")?.unwrap_or(false);
    let instance = instances::own(call, &call.tables(), id)?;
    let not_running = || {
        let message = format!("The instance '{id}' is not in the 'running' state.");
        Fault::client("IncorrectInstanceState", message)
    };
    if instance.state != InstanceState::Running {
        return Err(not_running());
    }
    let (sender, answer) = oneshot::channel();
    let command = Command::Screen { is_woken, answer: sender };
    if !call.world.machines().is_some_and(|machines| machines.ask(id, command)) {
        return Err(not_running());
    }
    let screen = answer.blocking_recv().map_err(|_| not_running())?;
    // A board without a screen, as arm64's.
    let screen = screen.map_err(|words| Fault::client("UnsupportedOperation", words))?;
    let picture = jpeg(&screen).map_err(|_| Fault::internal())?;
    Ok(Element::default().text("instanceId", id).text("imageData", STANDARD.encode(picture)))
}

fn jpeg(screen: &Screen) -> Result<Vec<u8>, EncodingError> {
    let mut picture = Vec::new();
    let encoder = Encoder::new(&mut picture, QUALITY_PERCENT);
    encoder.encode(&screen.rgb, screen.width, screen.height, ColorType::Rgb)?;
    Ok(picture)
}
