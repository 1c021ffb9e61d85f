//! Which images of others an account may see and launch ("Allowed AMIs").
//!
//! Images of one's own are always allowed. Of others, an image is allowed that satisfies any of the criteria. Ages are
//! measured as everything that lasts is: a day is shorter when the clock says so.

use jiff::{SignedDuration, Timestamp};

use super::{images, settings};
use crate::operations::Call;
use crate::protocol::{Fault, Filter};
use crate::records::{
    AllowedImages, AllowedImagesState, Image, ImageCriterion, Tables, Watermark, WatermarkCriterion,
};

/// Tells whether the criteria of whoever asks allow an image; none while there are no criteria to go by.
pub(super) fn verdict(call: &Call<'_>, tables: &Tables, image: &Image) -> Option<bool> {
    let settings = settings::own(call, tables);
    let allowed = &settings.allowed_images;
    (allowed.state != AllowedImagesState::Disabled).then(|| is_allowed(call, allowed, image))
}

/// Tells whether an image is hidden from whoever asks, because it is not allowed.
pub(super) fn is_hidden(call: &Call<'_>, tables: &Tables, image: &Image) -> bool {
    // Most images are one's own: a list of many must not look up the settings for each.
    if image.account == call.account() {
        return false;
    }
    let settings = settings::own(call, tables);
    let allowed = &settings.allowed_images;
    allowed.state == AllowedImagesState::Enabled && !is_allowed(call, allowed, image)
}

/// Refuses an image that is not allowed: to be called before anything is made of an image. What AWS answers is assumed
/// from what its guide says: such an image cannot be discovered.
pub(crate) fn check(call: &Call<'_>, tables: &Tables, image: &Image) -> Result<(), Fault> {
    if is_hidden(call, tables, image) {
        return Err(images::not_found(&image.id));
    }
    Ok(())
}

fn is_allowed(call: &Call<'_>, allowed: &AllowedImages, image: &Image) -> bool {
    image.account == call.account()
        || allowed.criteria.iter().any(|criterion| is_satisfied(call, criterion, image))
}

fn is_satisfied(call: &Call<'_>, criterion: &ImageCriterion, image: &Image) -> bool {
    let is_young = |start: Timestamp, days_max: Option<i64>| {
        days_max.is_none_or(|days| {
            let age_max = SignedDuration::from_hours(days.saturating_mul(24));
            call.now <= call.world.clock().after(start, age_max)
        })
    };
    let is_provider = |provider: &String| {
        *provider == image.account || images::owner_alias(&image.account) == Some(provider.as_str())
    };
    let names = Filter { name: String::new(), values: criterion.names.clone() };
    let is_marked =
        |wanted: &WatermarkCriterion| image.watermarks.iter().any(|mark| is_mark(wanted, mark, &is_young));
    (criterion.providers.is_empty() || criterion.providers.iter().any(is_provider))
        && (criterion.product_codes.is_empty()
            || criterion.product_codes.iter().any(|code| image.product_codes.contains(code)))
        && (criterion.names.is_empty() || names.is_match(&image.name))
        && image
            .deprecation
            .filter(|time| *time <= call.now)
            .is_none_or(|time| is_young(time, criterion.days_since_deprecated_max))
        && is_young(image.created, criterion.days_since_created_max)
        && (criterion.watermarks.is_empty() || criterion.watermarks.iter().any(is_marked))
        // No image here was scanned by Inspector: what asks for results of a scan finds none.
        && criterion.scan.is_none()
}

fn is_mark(
    wanted: &WatermarkCriterion,
    mark: &Watermark,
    is_young: &impl Fn(Timestamp, Option<i64>) -> bool,
) -> bool {
    wanted.key.as_ref().is_none_or(|key| *key == mark.key)
        && wanted.source_region.as_ref().is_none_or(|region| *region == mark.source_region)
        && is_young(mark.source_created, wanted.days_since_source_created_max)
        && is_young(mark.created, wanted.days_since_created_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::support::Bench;
    use crate::records::{Settings, Watermark};

    fn foreign(bench: &Bench) -> Image {
        let mut image = bench.image();
        image.account = "111122223333".to_owned();
        image.name = "web-2026".to_owned();
        image.created = bench.call().now - SignedDuration::from_hours(48);
        image.watermarks = vec![Watermark {
            key: "111122223333:approved".to_owned(),
            source_image: "ami-0".to_owned(),
            source_region: "eu-west-1".to_owned(),
            source_created: image.created,
            created: image.created,
        }];
        image
    }

    fn is_satisfied_by(edit: impl FnOnce(&mut ImageCriterion)) -> bool {
        let bench = Bench::new();
        let mut criterion = ImageCriterion::default();
        edit(&mut criterion);
        is_satisfied(&bench.call(), &criterion, &foreign(&bench))
    }

    #[test]
    fn each_condition_of_a_criterion_counts() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let mark = |edit: fn(&mut WatermarkCriterion)| {
            let mut wanted =
                WatermarkCriterion { key: Some("111122223333:approved".to_owned()), ..Default::default() };
            edit(&mut wanted);
            vec![wanted]
        };
        let seen = [
            is_satisfied_by(|_| ()),
            is_satisfied_by(|one| one.providers = texts(&["amazon", "111122223333"])),
            is_satisfied_by(|one| one.providers = texts(&["amazon"])),
            is_satisfied_by(|one| one.providers = texts(&["none"])),
            is_satisfied_by(|one| one.names = texts(&["db-*", "web-????"])),
            is_satisfied_by(|one| one.names = texts(&["web-?"])),
            is_satisfied_by(|one| one.days_since_created_max = Some(2)),
            is_satisfied_by(|one| one.days_since_created_max = Some(1)),
            is_satisfied_by(|one| one.product_codes = texts(&["abc"])),
            is_satisfied_by(|one| one.watermarks = mark(|_| ())),
            is_satisfied_by(|one| one.watermarks = mark(|mark| mark.key = Some("1:other".to_owned()))),
            is_satisfied_by(|one| one.watermarks = mark(|mark| mark.days_since_created_max = Some(1))),
            is_satisfied_by(|one| one.scan = Some(crate::records::ScanCriterion::default())),
        ];
        assert_eq!(
            seen,
            [true, true, false, false, true, false, true, false, false, true, false, false, false]
        );
    }

    #[test]
    fn images_of_others_are_hidden_only_once_the_criteria_are_applied() {
        let bench = Bench::new();
        let own = bench.image();
        let mut other = foreign(&bench);
        other.id = "ami-00000001".to_owned();
        other.permissions.insert(crate::records::LaunchPermission::Everybody);
        bench.change(|change| change.put(other.clone()));
        let call = bench.call();
        let seen = [AllowedImagesState::Disabled, AllowedImagesState::AuditMode, AllowedImagesState::Enabled]
            .map(|state| {
                bench.change(|change| {
                    let mut settings =
                        Settings { key: Settings::key(call.account(), call.region), ..Settings::default() };
                    settings.allowed_images.state = state;
                    change.put(settings);
                });
                let params = crate::protocol::Params::default();
                let listed = super::super::describe_images(&call, &params).unwrap().to_document("");
                let tables = call.tables();
                assert!(check(&call, &tables, &own).is_ok(), "images of one's own are always allowed");
                (
                    listed.contains(&other.id),
                    verdict(&call, &tables, &other),
                    check(&call, &tables, &other).map_err(|fault| fault.code),
                )
            });
        assert_eq!(
            seen,
            [
                (true, None, Ok(())),
                (true, Some(false), Ok(())),
                (false, Some(false), Err("InvalidAMIID.NotFound")),
            ]
        );
    }
}
