use super::images;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, LaunchPermission};

/// Gives up an image that another account shares with whoever asks. The code for images that are not is assumed.
pub(crate) fn cancel_image_launch_permission(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    call.change(params, |change| {
        let image = change
            .get::<Image>(id)
            .filter(|image| image.region == call.region && image.is_usable_by(call.account()));
        let image = image.ok_or_else(|| images::not_found(id))?;
        if image.account == call.account() || !image.is_shared_with(call.account()) {
            let message = format!("The image '{id}' is not shared with the account");
            return Err(Fault::client("InvalidParameterValue", message));
        }
        let mut image = Image::clone(&image);
        image.permissions.remove(&LaunchPermission::Account(call.account().to_owned()));
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::support::Bench;

    #[test]
    fn an_image_that_was_shared_is_seen_no_more() {
        let bench = Bench::new();
        let mut image = bench.image();
        let body = format!("ImageId={}", image.id);
        let cancel = || {
            let params = Params::parse(body.as_bytes()).unwrap();
            cancel_image_launch_permission(&bench.call(), &params).map(|_| ()).map_err(|fault| fault.code)
        };
        assert_eq!(cancel(), Err("InvalidParameterValue"), "it is one's own");
        image.account = "111122223333".to_owned();
        image.permissions.insert(LaunchPermission::Account(bench.call().account().to_owned()));
        bench.change(|change| change.put(image));
        assert_eq!((cancel(), cancel()), (Ok(()), Err("InvalidAMIID.NotFound")));
    }
}
