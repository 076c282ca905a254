//! Files of scopes: one of each format, everything that is odd about them, hostile ones, and bounds.

use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;
use soakrig::waveform::import::{self, Choice, Format, ImportError, Imported, Limits, Options, Unit};
use soakrig::waveform::{Codes, Pair, Waveform, measure_one};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/scope-exports").join(name)
}

fn read_file(name: &str) -> Imported {
    let bytes = std::fs::read(path(name)).unwrap();
    let sample_rate_hz = NO_TIME.contains(&name).then_some(100e6);
    import::read(&bytes[..], &Options { sample_rate_hz, ..Options::default() })
        .unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Files without any time.
const NO_TIME: [&str; 2] = ["plain-one-column.txt", "codes.npy"];

fn read_text(text: &str) -> Result<Imported, ImportError> {
    import::read(text.as_bytes(), &Options::default())
}

fn volts(file: &Imported, at: usize) -> Vec<f32> {
    file.channels[at].clone().into_waveform(file.timing, "vout").volts()
}

fn render(file: &Imported) -> String {
    let mut text = format!("{}\n", file.format);
    writeln!(text, "  step {:.6e} s, start {:.6e} s", file.timing.step_s, file.timing.start_s).unwrap();
    for (at, channel) in file.channels.iter().enumerate() {
        let volts = volts(file, at);
        let kind = match channel.codes {
            Codes::U8(_) => format!("8 bits of {:.6}", channel.scaling.volts_per_code),
            Codes::I16(_) => format!("16 bits of {:.6}", channel.scaling.volts_per_code),
            Codes::F32(_) => "numbers".to_owned(),
        };
        let label = channel.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
        writeln!(
            text,
            "  {}{label} in {}: {} samples, {:.4} {:.4} … {:.4}, {kind}",
            channel.name,
            channel.unit,
            volts.len(),
            volts[0],
            volts[1],
            volts[volts.len() - 1]
        )
        .unwrap();
        channel.notes.iter().for_each(|note| writeln!(text, "    {note}").unwrap());
        channel.fault.iter().for_each(|fault| writeln!(text, "    fault: {fault}").unwrap());
    }
    file.notes.iter().for_each(|note| writeln!(text, "  - {note}").unwrap());
    text
}

fn render_all(names: &[&str]) -> String {
    names.iter().map(|name| render(&read_file(name))).collect::<Vec<String>>().join("\n")
}

#[test]
fn every_rigol_is_read_as_it_is() {
    let names = [
        "rigol-ds1000e.csv",
        "rigol-ds1000z.csv",
        "rigol-ds2000a.csv",
        "rigol-ds1000d.csv",
        "rigol-ds1000b.csv",
        "rigol-mso5000.csv",
        "rigol-dho800.csv",
    ];
    insta::assert_snapshot!(render_all(&names), @"");
}

#[test]
fn siglent_and_keysight_are_read_as_they_are() {
    let names = [
        "siglent-sds1000xe.csv",
        "siglent-sds2000x.csv",
        "keysight-infiniivision.csv",
        "keysight-infiniium.csv",
    ];
    insta::assert_snapshot!(render_all(&names), @"");
}

#[test]
fn tektronix_and_lecroy_are_read_as_they_are() {
    let names = ["tektronix-tds2000.csv", "tektronix-mdo3000.csv", "lecroy-hdo.csv"];
    insta::assert_snapshot!(render_all(&names), @"");
}

#[test]
fn plain_columns_and_arrays_are_read_as_they_are() {
    let names =
        ["plain-decimal-comma.csv", "plain-tabs.txt", "plain-one-column.txt", "floats.npy", "codes.npy"];
    insta::assert_snapshot!(render_all(&names), @"");
}

#[test]
fn the_same_signal_is_the_same_in_every_format() {
    let names = [
        "rigol-mso5000.csv",
        "rigol-dho800.csv",
        "siglent-sds1000xe.csv",
        "siglent-sds2000x.csv",
        "keysight-infiniivision.csv",
        "keysight-infiniium.csv",
        "tektronix-tds2000.csv",
        "tektronix-mdo3000.csv",
        "plain-decimal-comma.csv",
        "plain-tabs.txt",
        "floats.npy",
    ];
    for name in names {
        let file = read_file(name);
        assert!((file.timing.step_s - 4e-9).abs() < 4e-9 * 1e-6, "{name}: {}", file.timing.step_s);
        assert!((file.timing.start_s + 32e-9).abs() < 1e-12, "{name}: {}", file.timing.start_s);
        let samples = volts(&file, 0);
        assert_eq!(samples.len(), 24, "{name}");
        for (at, sample) in samples.iter().enumerate() {
            let code = (6.0 * (2.0 * std::f64::consts::PI * at as f64 / 12.0).sin()).round();
            assert!((f64::from(*sample) - 5.0 - 0.002 * code).abs() < 1e-5, "{name}, sample {at}: {sample}");
        }
    }
}

#[test]
fn a_format_can_be_forced_and_says_when_it_does_not_fit() {
    let bytes = std::fs::read(path("rigol-dho800.csv")).unwrap();
    let forced = |format| import::read(&bytes[..], &Options { format: Some(format), ..Options::default() });
    assert_eq!(forced(Format::Plain).unwrap().format, Format::Plain);
    insta::assert_snapshot!(forced(Format::Siglent).unwrap_err(), @"");
    for format in Format::ALL {
        assert_eq!(format.word().parse(), Ok(format));
    }
}

#[test]
fn what_is_broken_is_told_with_its_line() {
    let long = format!("t,v\n0,1\n{}", "1".repeat(70_000));
    let columns = format!("{}\n", vec!["1"; 100].join(","));
    let tables = [
        ("empty", ""),
        ("blank lines", "\n\n\n"),
        ("words", "dear diary\ntoday it rained\n"),
        ("html", "<!DOCTYPE html>\n<p>404</p>\n"),
        ("binary", "\x01\x02\0\0\x05"),
        ("zip", "PK\x03\x04rest"),
        ("a word among numbers", "time,v\n0,1\n1e-9,2\n2e-9,abc\n3e-9,4\n"),
        ("a column more", "time,v\n0,1\n1e-9,2,3\n"),
        ("time backwards", "time,v\n0,1\n1e-9,2\n0,1\n1e-9,2\n"),
        ("samples without time", "time,v\n0,1\n,2\n2e-9,3\n"),
        ("a row of nothing between", "time,v\n0,1\n,\n2e-9,3\n"),
        ("a footer", "time,v\n0,1\n1e-9,2\nend of data\n"),
        ("no time", "v\n1\n2\n3\n"),
        ("time only", "time\n1\n2\n3\n"),
        ("all times the same", "time,v\n0,1\n0,2\n0,3\n"),
        ("one row", "time,v\n0,1\n"),
        ("a line without end", &long),
        ("a hundred columns", &columns),
    ];
    let told: Vec<String> = tables
        .iter()
        .map(|(name, text)| match read_text(text) {
            Ok(file) => format!("{name}: READ\n{}", render(&file)),
            Err(e) => format!("{name}: {e}"),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"");
}

#[test]
fn what_is_odd_is_read_and_told() {
    let rows = |from: usize, to: usize| {
        (from..to).fold(String::new(), |mut text, i| {
            writeln!(text, "{}e-9,{}.{}", 4 * i, i % 7, i % 3).unwrap();
            text
        })
    };
    let tables = [
        ("torn last row", format!("time,v\n{}4.0e-8,", rows(0, 10))),
        ("heading again", format!("time,v\n{}time,v\n{}", rows(0, 5), rows(5, 10))),
        ("trailing blanks", format!("time,v\r\n{}\r\n,,\r\n\r\n", rows(0, 10).replace('\n', ",,\r\n"))),
        ("a gap in time", format!("time,v\n{}{}", rows(0, 10), rows(20, 30))),
        ("header against rows", format!("Sample Interval,1e-9\nRecord Length,99\ntime,v\n{}", rows(0, 10))),
        ("a column that ends", "time,a,b\n0,1,2\n1e-9,3,4\n2e-9,5,\n3e-9,2,\n".to_owned()),
        ("a column with a hole", "time,a,b\n0,1,2\n1e-9,3,---\n2e-9,5,1\n3e-9,2,inf\n4e-9,2,1\n".to_owned()),
        (
            "rounded times",
            format!(
                "time,v\n{}",
                (0..40).map(|i| format!("{:.2},{}\n", f64::from(i) * 0.0013, i % 7)).collect::<String>()
            ),
        ),
        ("times in ms, amperes", "Time (ms),I load (mA)\n0.001,500\n0.002,501\n0.003,499\n".to_owned()),
        ("counted rows", "0,1.5\n1,1.6\n2,1.7\n3,1.5\n".to_owned()),
    ];
    let told: Vec<String> = tables
        .iter()
        .map(|(name, text)| {
            let options =
                Options { sample_rate_hz: (*name == "counted rows").then_some(1e6), ..Options::default() };
            match import::read(text.as_bytes(), &options) {
                Ok(file) => format!("{name}: {}", render(&file)),
                Err(e) => format!("{name}: {e}\n"),
            }
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"");
}

#[test]
fn channels_are_chosen_by_name_or_by_sense_and_told() {
    let choose = |file: &str, vout: Option<&str>, lx: Option<&str>| {
        let choice = Choice { vout: vout.map(str::to_owned), lx: lx.map(str::to_owned) };
        match read_file(file).select(&choice) {
            Ok(chosen) => {
                format!("{} and {:?}; {}", chosen.vout_name, chosen.lx_name, chosen.notes.join("; "))
            }
            Err(e) => e.to_string(),
        }
    };
    let rows = [
        choose("rigol-dho800.csv", None, None),
        choose("rigol-dho800.csv", Some("ch1"), None),
        choose("rigol-dho800.csv", Some("CH2"), Some("CH1")),
        choose("rigol-dho800.csv", Some("CH1"), Some("CH1")),
        choose("rigol-dho800.csv", Some("CH5"), None),
        choose("keysight-infiniivision.csv", Some("CH1"), Some("2")),
        choose("tektronix-mdo3000.csv", Some("vout"), Some("sw")),
        choose("siglent-sds2000x.csv", None, None),
    ];
    insta::assert_snapshot!(rows.join("\n"), @"");
}

#[test]
fn a_hole_in_one_channel_leaves_the_other_usable() {
    let text = "time,a,b\n0,1,2\n1e-9,3,---\n2e-9,5,1\n";
    let choose = |name: &str| {
        read_text(text).unwrap().select(&Choice { vout: Some(name.to_owned()), lx: Some("a".to_owned()) })
    };
    assert!(read_text(text).unwrap().select(&Choice { vout: Some("a".to_owned()), lx: None }).is_ok());
    assert_eq!(choose("b").unwrap_err().to_string(), "line 3: b has no value (`---`) between its samples");
}

/// A source without end.
struct Endless<'a> {
    block: &'a [u8],
    at: usize,
    given: u64,
}

impl std::io::Read for Endless<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        for byte in room.iter_mut() {
            *byte = self.block[self.at];
            self.at = (self.at + 1) % self.block.len();
        }
        self.given += room.len() as u64;
        Ok(room.len())
    }
}

#[test]
fn an_endless_source_ends_at_the_limit() {
    let limits = Limits { max_samples: 100_000, max_line: 1000 };
    let blocks: [&[u8]; 6] = [b"1.5\n", b"\n", b"word\n", b"9", b",\n", b"1,\n,\n"];
    for block in blocks {
        let mut source = Endless { block, at: 0, given: 0 };
        let options = Options { sample_rate_hz: Some(1e6), limits, format: None };
        let told = import::read(&mut source, &options).unwrap_err().to_string();
        assert!(told.starts_with("line "), "{told}");
        assert!(source.given < 2_000_000, "{} bytes were read of {block:?}: {told}", source.given);
    }
}

#[test]
fn a_lying_array_header_reserves_nothing() {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (400000000,), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    let told =
        |bytes: &[u8]| import::read(bytes, &Options { sample_rate_hz: Some(1e6), ..Options::default() });
    insta::assert_snapshot!(told(&bytes).unwrap_err(), @"");
    let pickle = String::from_utf8_lossy(&bytes[10..]).replace("<f8", "|O");
    let mut objects = b"\x93NUMPY\x01\x00".to_vec();
    objects.extend_from_slice(&(pickle.len() as u16).to_le_bytes());
    objects.extend_from_slice(pickle.as_bytes());
    insta::assert_snapshot!(told(&objects).unwrap_err(), @"");
}

#[test]
fn arrays_of_every_kind_and_order_hold_the_same_numbers() {
    let numbers: Vec<i32> = (0..40).map(|i| (i * 29) % 120).collect();
    let bytes_of = |kind: &str, value: i32| match kind {
        "u1" => vec![value as u8],
        "i1" => vec![value as i8 as u8],
        "u2" | "i2" => (value as u16).to_le_bytes().to_vec(),
        "i4" => value.to_le_bytes().to_vec(),
        "f4" => (value as f32).to_le_bytes().to_vec(),
        _ => f64::from(value).to_le_bytes().to_vec(),
    };
    for kind in ["u1", "i1", "u2", "i2", "i4", "f4", "f8"] {
        for order in ["<", ">"] {
            for (shape, fortran) in
                [("(40,)", false), ("(20, 2)", false), ("(20, 2)", true), ("(2, 20)", false)]
            {
                let header = format!(
                    "{{'descr': '{order}{kind}', 'fortran_order': {}, 'shape': {shape}, }}\n",
                    if fortran { "True" } else { "False" }
                );
                let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
                bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
                bytes.extend_from_slice(header.as_bytes());
                for number in &numbers {
                    let mut sample = bytes_of(kind, *number);
                    if order == ">" {
                        sample.reverse();
                    }
                    bytes.extend_from_slice(&sample);
                }
                let options = Options { sample_rate_hz: Some(1e6), ..Options::default() };
                let file = import::read(&bytes[..], &options).unwrap();
                let interleaved = shape == "(20, 2)" && !fortran;
                let count = file.channels.len();
                for at in 0..count {
                    let own: Vec<f32> = match (count, interleaved) {
                        (1, _) => numbers.iter().map(|n| *n as f32).collect(),
                        (_, true) => numbers.iter().skip(at).step_by(2).map(|n| *n as f32).collect(),
                        _ => numbers[at * 20..(at + 1) * 20].iter().map(|n| *n as f32).collect(),
                    };
                    let read = volts(&file, at);
                    assert!(
                        own.len() == read.len() && own.iter().zip(&read).all(|(a, b)| (a - b).abs() < 1e-3),
                        "{kind} {order} {shape} {fortran}: {read:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn captures_of_a_run_pass_through_with_their_conditions() {
    let trace = |signal: &str| -> Waveform {
        let file = read_file("rigol-dho800.csv");
        let mut trace = file.channels[0].clone().into_waveform(file.timing, signal);
        trace.acquisition.probe_ratio = 10.0;
        trace
    };
    let run = Imported::from_run(vec![trace("lx"), trace("vout")]).unwrap();
    let chosen = run.select(&Choice::default()).unwrap();
    assert_eq!((chosen.vout_name.as_str(), chosen.lx_name.as_deref()), ("vout", Some("lx")));
    assert_eq!(chosen.vout, trace("vout"));
    let mut other = trace("lx");
    other.step_s *= 2.0;
    assert!(Imported::from_run(vec![trace("vout"), other]).is_err());
    assert!(Imported::from_run(Vec::new()).is_err());
}

#[test]
fn figures_of_a_file_are_those_of_the_trace_it_was_written_from() {
    // 40 periods of 320 samples: ripple of 12 mV peak to peak on a 1 mV grid, duty 0.25.
    let (period, periods) = (320usize, 40usize);
    let mut text = String::from("Time(s),CH1V,CH2V\n");
    for at in 0..period * periods {
        let phase = (at % period) as f64 / period as f64;
        let ripple = if phase < 0.25 { -6.0 + 48.0 * phase } else { 6.0 - 16.0 * (phase - 0.25) };
        let lx = if phase < 0.25 { 23.8 } else { -0.2 };
        writeln!(text, "{:.8e},{:.3},{lx:.1}", at as f64 * 25e-9, 5.0 + ripple.round() / 1000.0).unwrap();
    }
    let chosen = read_text(&text).unwrap().select(&Choice::default()).unwrap();
    assert_eq!((chosen.vout_name.as_str(), chosen.lx_name.as_deref()), ("CH1", Some("CH2")));
    assert!((chosen.vout.scaling.volts_per_code - 1e-3).abs() < 1e-9);
    assert_eq!(chosen.vout_unit, Unit::Volt);
    let figures = measure_one(&Pair { vout: &chosen.vout, lx: chosen.lx.as_ref() });
    let near = |figure: &soakrig::waveform::Figure, truth: f64, within: f64| {
        let value = figure.as_ref().unwrap();
        assert!((value - truth).abs() <= within, "{value} is not {truth}");
    };
    near(&figures.mean_v, 5.0, 2e-4);
    near(&figures.switching_hz, 125e3, 1.0);
    near(&figures.duty, 0.25, 0.01);
    near(&figures.ripple_pp_v, 0.012, 1.5e-3);
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "Record Length,24,,0.1,0.2,",
        "Analog:",
        "X,CH1,Start,Increment,",
        "Sequence,Volt,0,1e-9",
        "LECROY",
        "Segments,2,SegmentSize,3",
        "Source,",
        "Time,Ampl",
        "time",
        "second,Volt",
        "CH1V,t0 = 0, tInc = 1e-9",
        "Sample Interval,",
        ",",
        ";",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "1",
        "-2.5e-3",
        "1,5",
        "inf",
        "nan",
        "---",
        "9.9E37",
        "\"",
        "Model,X",
        "XInc:,1",
        "XOrg:,2",
        "\u{feff}",
        "µ",
        "1e400",
        "Minimum (V) = ,1",
        "Maximum (V) = ,2",
        "Label,a",
    ]);
    let text = prop::collection::vec(words, 0..60).prop_map(|words| words.concat().into_bytes());
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    let marked = bytes.clone().prop_map(|bytes| [&[0xFF, 0xFE][..], &bytes].concat());
    let array = bytes.clone().prop_map(|bytes| {
        [&b"\x93NUMPY\x01\x00\x46\x00{'descr': '<i2', 'fortran_order': False, 'shape': "[..], &bytes].concat()
    });
    prop_oneof![text, bytes, marked, array]
}

proptest! {
    #[test]
    fn no_file_does_harm(bytes in hostile(), rate in any::<bool>()) {
        let limits = Limits { max_samples: 200, max_line: 400 };
        let options = Options { sample_rate_hz: rate.then_some(1e6), limits, format: None };
        if let Ok(file) = import::read(&bytes[..], &options) {
            prop_assert!(!file.channels.is_empty());
            prop_assert!(file.timing.step_s > 0.0 && file.timing.step_s.is_finite() && file.timing.start_s.is_finite());
            let samples: usize = file.channels.iter().map(|channel| channel.codes.len()).sum();
            prop_assert!(samples > 0 && samples <= 200);
            for at in 0..file.channels.len() {
                prop_assert!(volts(&file, at).iter().all(|volts| volts.is_finite()));
            }
            let _ = file.select(&Choice::default());
        }
    }

    #[test]
    fn any_columns_read_back(
        rows in prop::collection::vec((-5000i32..5000, -300i32..300), 10..200),
        separator in prop::sample::select(vec![",", ";", "\t", " "]),
        comma in any::<bool>(),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        let comma = comma && separator != ",";
        let mut text = format!("time{separator}a{separator}b{end}");
        for (at, (a, b)) in rows.iter().enumerate() {
            let row = format!("{:.9}{separator}{:.3}{separator}{:.1}{end}", at as f64 * 1e-8, f64::from(*a) / 1e3, f64::from(*b) / 10.0);
            text.push_str(&if comma { row.replace('.', ",") } else { row });
        }
        let file = read_text(&text).unwrap();
        prop_assert!((file.timing.step_s - 1e-8).abs() < 1e-9 / rows.len() as f64);
        let (a, b) = (volts(&file, 0), volts(&file, 1));
        for (at, row) in rows.iter().enumerate() {
            prop_assert!((f64::from(a[at]) - f64::from(row.0) / 1e3).abs() < 1e-4);
            prop_assert!((f64::from(b[at]) - f64::from(row.1) / 10.0).abs() < 1e-3);
        }
    }
}
