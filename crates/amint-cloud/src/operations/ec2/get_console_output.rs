use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{instances, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// How much of the console is told (EC2 user guide, "Instance console output").
const OUTPUT_BYTES_MAX: u64 = 64 << 10;

/// Tells the end of what an instance wrote to its serial console since it was last switched on.
pub(crate) fn get_console_output(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = instances::id(params)?;
    // What is told is always the latest.
    params.boolean("Latest")?;
    instances::own(call, &call.tables(), id)?;
    let output = match call.world.machines() {
        Some(machines) => machines.console(id, OUTPUT_BYTES_MAX).map_err(|_| Fault::internal())?,
        None => None,
    };
    let answer = Element::default().text("instanceId", id);
    Ok(match output {
        Some((text, written)) => {
            answer.text("timestamp", time(written)).text("output", STANDARD.encode(text))
        }
        None => answer.text("timestamp", time(call.now)),
    })
}
