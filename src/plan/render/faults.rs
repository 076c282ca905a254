//! Faults as a compiler shows them: the line, what is wrong under it, and what was probably meant.

use std::collections::BTreeSet;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::instrument::dialect::{Fault, Label};

/// Renders all faults of some files, whose texts are handed in by the name that the faults use. With `colour` the text
/// holds ANSI sequences.
#[must_use]
pub fn render_faults(faults: &[Fault], sources: &[(String, String)], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for fault in faults {
        text.push_str(&renderer.render(&[group(fault, sources)]));
        text.push_str("\n\n");
    }
    let files: BTreeSet<&str> = faults.iter().map(|fault| fault.file.as_str()).collect();
    let files: Vec<&str> = files.into_iter().collect();
    let count = if faults.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", faults.len()) };
    text.push_str(&format!("{count} in {}\n", files.join(" and ")));
    text
}

/// A place in a file, its label, and whether it is where the fault is or only has to do with it.
struct Mark<'f> {
    file: &'f str,
    span: Option<Range<usize>>,
    label: &'f str,
    is_fault: bool,
}

fn group<'f>(fault: &'f Fault, sources: &'f [(String, String)]) -> Group<'f> {
    let mut group = Group::with_title(Level::ERROR.primary_title(fault.message.as_str()));
    let own = Mark { file: &fault.file, span: fault.span.clone(), label: &fault.key, is_fault: true };
    let also = fault.also.iter().map(|label: &Label| Mark {
        file: &label.file,
        span: label.span.clone(),
        label: &label.text,
        is_fault: false,
    });
    let marks: Vec<Mark<'_>> = std::iter::once(own).chain(also).collect();
    let mut shown: Vec<&str> = Vec::new();
    for mark in &marks {
        if shown.contains(&mark.file) {
            continue;
        }
        shown.push(mark.file);
        let source = sources.iter().find(|(name, _)| name == mark.file).map(|(_, text)| text.as_str());
        let here: Vec<Annotation<'f>> = marks
            .iter()
            .filter(|other| other.file == mark.file)
            .filter_map(|other| annotation(other, source?))
            .collect();
        group = match source {
            Some(source) if !here.is_empty() => {
                group.element(Snippet::source(source).path(mark.file).annotations(here))
            }
            _ => group.element(Origin::path(mark.file)),
        };
    }
    // What has no place is still told.
    for mark in marks.iter().filter(|mark| mark.span.is_none() && !mark.label.is_empty()) {
        let told = if mark.is_fault {
            format!("the key is `{}`", mark.label)
        } else {
            format!("{}: {}", mark.file, mark.label)
        };
        group = group.element(Level::NOTE.message(told));
    }
    if let Some(nearest) = &fault.nearest {
        group = group.element(Level::HELP.message(format!("did you mean `{nearest}`?")));
    }
    group
}

fn annotation<'f>(mark: &Mark<'f>, source: &str) -> Option<Annotation<'f>> {
    let span = first_line(source, mark.span.clone()?)?;
    let kind = if mark.is_fault { AnnotationKind::Primary } else { AnnotationKind::Context };
    let annotation = kind.span(span);
    Some(if mark.label.is_empty() { annotation } else { annotation.label(mark.label) })
}

/// A list over many lines is pointed at by its first one. A span that is not of this text (the file has changed) is not
/// shown at all.
fn first_line(source: &str, span: Range<usize>) -> Option<Range<usize>> {
    let inside = source.get(span.clone())?;
    let end = inside.find(['\n', '\r']).map_or(span.end, |length| span.start + length);
    Some(span.start..end)
}
