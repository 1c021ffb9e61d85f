//! `amint build --check`: builds twice and compares.

use std::fs;
use std::path::Path;

use amint_build::Built;
use amint_build::compare::{Difference, compare_disks, compare_trees};
use amint_disk::image::DiskSummary;
use amint_disk::raw::RawDisk;
use amint_store::manifest_of;
use amint_types::Digest;

use crate::args::BuildArgs;
use crate::commands::build::Input;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Builds the recipe twice in `work` and tells whether the bytes are the same; stores nothing.
pub(super) fn run(
    args: &BuildArgs,
    context: &Context,
    input: &Input<'_>,
    work: &Path,
) -> Result<ExitCode, Failure> {
    let mut builds = Vec::new();
    for name in ["first", "second"] {
        context.sink().info(&format!("{name} build"));
        let folder = work.join(name);
        fs::create_dir(&folder).map_err(|error| Failure::file(&folder, error))?;
        builds.push(super::build::build(args, context, input, &folder)?);
    }
    context.finish();
    let [first, second] = &builds[..] else { unreachable!("two builds were made") };
    let (Some((first_disk, summary)), Some((second_disk, _))) = (&first.disk, &second.disk) else {
        if context.global.json {
            let scans = [&first.scan, &second.scan];
            context.print_result(
                &serde_json::json!({ "event": "result", "refused_by": "rules", "scans": scans }),
            );
        }
        context.say("the rules stopped the image; `amint build` tells why");
        return Ok(ExitCode::Gate);
    };
    let open = |path: &Path| RawDisk::open(path).map_err(|error| Failure::new(ExitCode::Defect, error));
    let (first_source, second_source) = (open(first_disk)?, open(second_disk)?);
    let digests =
        [manifest_of(&first_source, &context.cancel)?, manifest_of(&second_source, &context.cancel)?]
            .map(|manifest| manifest.digest());
    let is_same = digests[0] == digests[1];
    let differences = if is_same {
        Vec::new()
    } else {
        let name_of = |offset| partition_at(summary, offset);
        let trees = compare_trees(&first.tree, &second.tree, &context.cancel);
        let trees = trees.map_err(|error| Failure::file(&first.tree, error))?;
        let disks = compare_disks(&first_source, &second_source, &name_of);
        [trees, disks.map_err(|error| Failure::file(first_disk, error))?].concat()
    };
    tell(context, first, second, digests, &differences);
    Ok(if is_same { ExitCode::Fine } else { ExitCode::Gate })
}

fn tell(context: &Context, first: &Built, second: &Built, digests: [Digest; 2], differences: &[Difference]) {
    let same_packages = first.packages == second.packages;
    if context.global.json {
        let named: Vec<_> = differences
            .iter()
            .map(|difference| serde_json::json!({ "place": difference.place, "what": difference.what }))
            .collect();
        context.print_result(&serde_json::json!({
            "event": "result", "identical": digests[0] == digests[1], "digests": digests,
            "same_packages": same_packages, "differences": named,
        }));
        return;
    }
    context.print(&format!("first   {}\nsecond  {}\n", digests[0], digests[1]));
    if digests[0] == digests[1] {
        context.print("identical\n");
        return;
    }
    context.print("different\n");
    if !same_packages {
        context.print("the mirror changed between the builds: other packages were installed\n");
    }
    for difference in differences {
        context.print(&format!("  {}: {}\n", difference.place, difference.what));
    }
}

fn partition_at(summary: &DiskSummary, offset: u64) -> String {
    summary
        .partitions
        .iter()
        .find(|partition| (partition.start_bytes..partition.start_bytes + partition.bytes).contains(&offset))
        .map_or_else(
            || "the partition table".to_owned(),
            |partition| format!("partition `{}`", partition.name),
        )
}
