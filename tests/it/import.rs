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
            volts[volts.len() / 2],
            volts[volts.len() - 1]
        )
        .unwrap();
        channel.notes.iter().chain(&channel.doubts).for_each(|note| writeln!(text, "    {note}").unwrap());
        channel
            .fault
            .iter()
            .for_each(|(line, what)| writeln!(text, "    fault: line {line}: {what}").unwrap());
    }
    file.notes.iter().for_each(|note| writeln!(text, "  - {note}").unwrap());
    file.uneven.iter().for_each(|how| writeln!(text, "  uneven: {how}").unwrap());
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
    insta::assert_snapshot!(render_all(&names), @"
    Rigol DS1000E CSV (header lines)
      step 2.000000e-9 s, start 0.000000e0 s
      CH 1 in V: 20 samples, 1.7200 -0.0400 … -0.0400, 16 bits of 0.010000
        CH 1: the header gives extremes of -2.04 and 1.88 V, but 2 samples lie beyond (lines 18 to 19): the scope may have written rubbish there
      CH 2 in V: 20 samples, 9.9200 -0.2400 … -0.2400, 16 bits of 0.010000
        CH 2: the header gives extremes of -0.24 and 5.12 V, but 4 samples lie beyond (lines 17 to 20): the scope may have written rubbish there
      - interval from the header: 2e-9 s; the time column agrees
      - times are rounded to 1e-9 s: the interval is that of the header, not between neighbours

    Rigol DS1000Z/2000/4000 CSV (start and increment in the header)
      step 5.000000e-10 s, start -3.000000e-7 s
      CH1 in V: 28 samples, 3.2800 3.1200 … 2.5600, 8 bits of 0.080000
      CH2 in V: 28 samples, 0.9600 1.1200 … 1.0400, 8 bits of 0.010000
      CH3 in V: 28 samples, -0.1600 -0.0800 … -0.0800, 8 bits of 0.010000
      CH4 in V: 28 samples, 0.0000 0.0000 … 0.0000, numbers
      - interval from the header: 5e-10 s

    Rigol DS1000Z/2000/4000 CSV (start and increment in the header)
      step 1.000000e-8 s, start -2.520000e-6 s
      CH1 in V: 28 samples, 0.0000 0.0000 … 0.0020, 8 bits of 0.001000
      CH2 in V: 28 samples, 0.0000 0.0000 … 0.0400, 8 bits of 0.010000
      - interval from the header: 1e-8 s

    Rigol DS1000D CSV (`X,CH 1 (V)`)
      step 1.000964e-5 s, start -4.688000e-3 s
      CH 1 in V: 29 samples, 8.0800 0.2000 … 0.2400, 8 bits of 0.040000
      CH 2 in V: 29 samples, 8.4000 3.2000 … 0.1600, 8 bits of 0.080000
      - interval from the first to the last time: 1.000964e-5 s

    Rigol DS1000B CSV (`Second,Volt`)
      step 4.000000e-6 s, start -1.638400e-2 s
      CH2 in V: 28 samples, 14.8000 14.8000 … 15.2000, 8 bits of 0.100000
      CH4 in V: 28 samples, 14.4000 14.4000 … 14.4000, 8 bits of 0.100000
      - interval from the first to the last time: 4.000000e-6 s
      - times are rounded to 1e-7 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 0.1 % only: times are rounded and rows are few

    Rigol MSO5000/7000 CSV (t0 and tInc in the header)
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      CH2 in V: 24 samples, 23.6000 23.6000 … 0.0000, 8 bits of 0.100000
      - interval from the header: 4e-9 s

    Rigol CSV (time column, `Time(s),CH1V`)
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      CH2 in V: 24 samples, 23.6000 23.6000 … 0.0000, 8 bits of 0.100000
      - interval from the first to the last time: 4.000000e-9 s
    ");
}

#[test]
fn siglent_and_keysight_are_read_as_they_are() {
    let names = [
        "siglent-sds1000xe.csv",
        "siglent-sds2000x.csv",
        "keysight-infiniivision.csv",
        "keysight-infiniium.csv",
    ];
    insta::assert_snapshot!(render_all(&names), @"
    Siglent SDS CSV
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      CH2 in V: 24 samples, 23.6000 23.6000 … 0.0000, 8 bits of 0.100000
      - interval from the header: 4e-9 s; the time column agrees

    Siglent SDS CSV
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      CH3 in A: 24 samples, 0.5000 0.5200 … 0.5300, 8 bits of 0.010000
      - written by SDS2104X Plus
      - interval from the header: 4e-9 s; the time column agrees

    Keysight InfiniiVision CSV
      step 4.000000e-9 s, start -3.200000e-8 s
      1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      2 in V: 22 samples, 23.6000 24.0000 … 0.0000, 8 bits of 0.100000
        2 begins 2 rows later than the time column
      - interval from the first to the last time: 4.000000e-9 s

    Keysight Infiniium CSV
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      - interval from the header: 4e-9 s
    ");
}

#[test]
fn tektronix_and_lecroy_are_read_as_they_are() {
    let names = ["tektronix-tds2000.csv", "tektronix-mdo3000.csv", "lecroy-hdo.csv"];
    insta::assert_snapshot!(render_all(&names), @"
    Tektronix TDS CSV (header beside the samples)
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      - written by TDS2024B
      - interval from the header: 4e-9 s; the time column agrees

    Tektronix MSO/DPO/MDO CSV
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 (VOUT) in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      CH2 (SW) in V: 24 samples, 23.6000 23.6000 … 0.0000, 8 bits of 0.100000
      - written by MDO3014
      - interval from the header: 4e-9 s; the time column agrees

    Teledyne LeCroy CSV
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 12 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      - only the first segment of 12 samples is read
      - interval from the first to the last time: 4.000000e-9 s
    ");
}

#[test]
fn plain_columns_and_arrays_are_read_as_they_are() {
    let names =
        ["plain-decimal-comma.csv", "plain-tabs.txt", "plain-one-column.txt", "floats.npy", "codes.npy"];
    insta::assert_snapshot!(render_all(&names), @"
    plain columns
      step 4.000000e-9 s, start -3.200000e-8 s
      Vout in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      - cells are separated by semicolons, decimal comma
      - interval from the first to the last time: 4.000000e-9 s
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 1.1 % only: times are rounded and rows are few

    plain columns
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      CH2 in V: 24 samples, 23.6000 23.6000 … 0.0000, 8 bits of 0.100000
      - cells are separated by tabs
      - the first column rises evenly and is taken as time in seconds
      - interval from the first to the last time: 4.000000e-9 s
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 1.1 % only: times are rounded and rows are few

    plain columns
      step 1.000000e-8 s, start 0.000000e0 s
      Vout in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000

    numpy array (.npy)
      step 4.000000e-9 s, start -3.200000e-8 s
      CH1 in V: 24 samples, 5.0000 5.0000 … 4.9940, 8 bits of 0.002000
      CH2 in V: 24 samples, 23.6000 23.6000 … 0.0000, numbers
      - the first column rises evenly and is taken as time in seconds
      - interval from the first to the last time: 4.000000e-9 s

    numpy array (.npy)
      step 1.000000e-8 s, start 0.000000e0 s
      CH1 in codes: 24 samples, 0.0000 0.0000 … -3.0000, 16 bits of 1.000000
      - the array holds codes without a scale: figures named volts are in codes
    ");
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

/// The text of a file, whatever it is coded in.
fn text_of(name: &str) -> String {
    let bytes = std::fs::read(path(name)).unwrap();
    match bytes.strip_prefix(&[0xFF, 0xFE]) {
        Some(units) => {
            let units = units.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(Result::unwrap).collect()
        }
        None => String::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes).to_vec()).unwrap(),
    }
}

#[test]
fn a_file_that_other_programs_wrote_again_reads_the_same() {
    let names =
        std::fs::read_dir(path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter(|name| name.ends_with(".csv") || name.ends_with(".txt")).collect();
    assert!(names.len() > 15, "{names:?}");
    let commas = |text: &str| !text.contains(';') && !text.contains('\t');
    let quote = |line: &str| {
        let quoted = |cell: &str| {
            if cell.is_empty() || cell.contains('"') { cell.to_owned() } else { format!("\"{cell}\"") }
        };
        line.split(',').map(quoted).collect::<Vec<String>>().join(",")
    };
    for name in names {
        let text = text_of(&name).replace("\r\n", "\n");
        let mut again = vec![
            ("a blank line after every line", text.replace('\n', "\n\n")),
            ("line ends written twice", text.replace('\n', "\r\r\n")),
            ("blank lines first and last", format!("\n \n{text}\n\n")),
        ];
        if commas(&text) {
            again.push(("every cell quoted", text.lines().map(quote).collect::<Vec<String>>().join("\n")));
            again.push(("separators at the ends", text.lines().map(|line| format!("{line},,\n")).collect()));
            again.push(("semicolons and decimal commas", text.replace(',', ";").replace('.', ",")));
        }
        let options =
            Options { sample_rate_hz: name.contains("one-column").then_some(1e8), ..Options::default() };
        let facts = |text: &str| {
            let file = import::read(text.as_bytes(), &options).unwrap();
            let channels: Vec<_> = file
                .channels
                .iter()
                .enumerate()
                .map(|(at, c)| (c.name.clone(), c.unit.clone(), volts(&file, at)))
                .collect();
            (file.format, file.timing, channels)
        };
        let first = facts(&text);
        for (how, text) in again {
            assert_eq!(facts(&text), first, "{name}: {how}");
        }
    }
}

#[test]
fn a_comma_that_is_decimal_sign_and_separator_is_refused_where_the_heading_shows_it() {
    let rows: String = (0..50).map(|n| format!("0,{n:08}e-06,5,04{n:02},24,07{n:02}\n")).collect();
    let refused = read_text(&format!("Zeit,Vout,LX\n{rows}")).unwrap_err().to_string();
    assert!(
        refused.contains("line 2") && refused.contains("the rows have 6 cells and the heading has 3 names"),
        "{refused}"
    );
}

#[test]
fn a_column_with_a_decimal_comma_is_no_pair_of_whole_numbers() {
    let tables = [
        ("a zero behind the comma", "4,998\n5,012\n5,006\n"),
        ("a word above", "Vout\n5,112\n-5,211\n5,114\n"),
        ("two words above", "a,b\n128,112\n129,113\n131,114\n"),
        ("nothing tells", "5,112\n-5,211\n5,114\n"),
    ];
    let options = Options { sample_rate_hz: Some(1e8), ..Options::default() };
    let told: Vec<String> = tables
        .iter()
        .map(|(name, text)| format!("{name}: {}", render(&import::read(text.as_bytes(), &options).unwrap())))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    a zero behind the comma: plain columns
      step 1.000000e-8 s, start 0.000000e0 s
      CH1 in V: 3 samples, 4.9980 5.0120 … 5.0060, 8 bits of 0.001000
      - a single column with a decimal comma

    a word above: plain columns
      step 1.000000e-8 s, start 0.000000e0 s
      Vout in V: 3 samples, 5.1120 -5.2110 … 5.1140, 16 bits of 0.001000
      - a single column with a decimal comma

    two words above: plain columns
      step 1.000000e-8 s, start 1.280000e2 s
      b in V: 3 samples, 112.0000 113.0000 … 114.0000, 8 bits of 1.000000
      - the first column rises evenly and is taken as time in seconds
      - the sample rate given counts; the file's own interval would be 1.500000e0 s

    nothing tells: plain columns
      step 1.000000e-8 s, start 0.000000e0 s
      CH1 in V: 3 samples, 5.0000 -5.0000 … 5.0000, 8 bits of 1.000000
      CH2 in V: 3 samples, 112.0000 211.0000 … 114.0000, 8 bits of 1.000000
      - the comma is taken to separate two columns of whole numbers; if it is a decimal sign, write points instead
    ");
}

#[test]
fn a_format_can_be_forced_and_says_when_it_does_not_fit() {
    let bytes = std::fs::read(path("rigol-dho800.csv")).unwrap();
    let forced = |format| import::read(&bytes[..], &Options { format: Some(format), ..Options::default() });
    assert_eq!(forced(Format::Plain).unwrap().format, Format::Plain);
    insta::assert_snapshot!(forced(Format::Siglent).unwrap_err(), @"the file does not look like Siglent SDS CSV; it looks like Rigol CSV (time column, `Time(s),CH1V`). Without a format it is recognised by itself");
    for format in Format::ALL {
        assert_eq!(format.word().parse(), Ok(format));
    }
}

#[test]
fn what_is_broken_is_told_with_its_line() {
    let long = format!("t,v\n0,1\n{}", "1".repeat(70_000));
    let rows: String = (0..300).map(|i| format!("{i}e-9,{}\n", i % 5)).collect();
    let wider = format!("time,v\n{rows}300e-9,1,2\n");
    let columns = format!("{}\n", vec!["1"; 100].join(","));
    let tables = [
        ("empty", ""),
        ("blank lines", "\n\n\n"),
        ("words", "dear diary\ntoday it rained\n"),
        ("html", "<!DOCTYPE html>\n<p>404</p>\n"),
        ("binary", "\x01\x02\0\0\x05"),
        ("zip", "PK\x03\x04rest"),
        ("a word among numbers", "time,v\n0,1\n1e-9,2\n2e-9,abc\n3e-9,4\n"),
        ("a column more", &wider),
        ("time backwards", "time,v\n0,1\n1e-9,2\n0,1\n1e-9,2\n"),
        ("samples without time", "time,v\n0,1\n,2\n2e-9,3\n"),
        ("a row of nothing between", "time,v\n0,1\n,\n2e-9,3\n"),
        ("a footer", "time,v\n0,1\n1e-9,2\nend of data\n"),
        ("no time", "v\n1\n2\n3\n"),
        ("time only", "time\n1\n2\n3\n"),
        ("all times the same", "time,v\n0,1\n0,2\n0,3\n"),
        ("one row", "time,v\n0,1\n"),
        ("a line without end", &long),
        ("a name too many", "time,Trigger,Vout,LX\n0,1,2\n1e-9,2,3\n2e-9,3,4\n"),
        (
            "units between blanks",
            "time (s)   CH1 (V)   CH2 (V)\n0   1.5   2\n1e-9   2.5   3\n2e-9   3.5   4\n",
        ),
        ("a hundred columns", &columns),
    ];
    let told: Vec<String> = tables
        .iter()
        .map(|(name, text)| match read_text(text) {
            Ok(file) => format!("{name}: READ\n{}", render(&file)),
            Err(e) => format!("{name}: {e}"),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    empty: the file is empty
    blank lines: line 3: there is no row of numbers up to here; the first line is ``
    words: line 2: there is no row of numbers up to here; the first line is `dear diary`
    html: line 2: there is no row of numbers up to here; the first line is `<!DOCTYPE html>`
    binary: this is a binary file; of those only numpy's .npy is read: export the samples from the scope as CSV
    zip: this is no table of samples but a zip archive (.npz, .xlsx): take the sheet or the array out of it
    a word among numbers: line 4: `abc` in column 2 is no number
    a column more: line 302: `2` stands in a column of its own: the rows before have 2 columns
    time backwards: line 4: time runs backwards, from 1e-9 s to 0e0 s: several records in one file, or rows out of order
    samples without time: line 3: the row has samples but no time
    a row of nothing between: line 3: a row without time and samples stands between the others
    a footer: line 4: `end of data` in column 1 is no number
    no time: the file holds no time and no sample interval; give the sample rate (--sample-rate, e.g. 100MHz)
    time only: the file holds a single column of time and no samples
    all times the same: the file holds no time and no sample interval; give the sample rate (--sample-rate, e.g. 100MHz)
    one row: the file holds no time and no sample interval; give the sample rate (--sample-rate, e.g. 100MHz)
    a line without end: line 3: it is longer than 65536 bytes: this is not a table of samples
    a name too many: line 1: the heading has 4 names and the rows have 3 cells: which name is whose cannot be told; quote a name that holds what separates the cells
    units between blanks: line 1: the heading has 6 names and the rows have 3 cells: which name is whose cannot be told; quote a name that holds what separates the cells
    a hundred columns: the rows hold 80 columns; no scope has more than 64 channels
    ");
}

#[test]
fn times_of_single_precision_are_rounded_and_not_uneven_however_many_digits_are_printed() {
    let file = |digits: usize, stray_s: f64| {
        let row = |n: usize| {
            let time_s = (n as f64 * 1e-8 + if n == 40_000 { stray_s } else { 0.0 }) as f32;
            format!("{time_s:.digits$e},{}.{}\n", n % 7, n % 3)
        };
        read_text(&format!("time,v\n{}", (0..60_000).map(row).collect::<String>())).unwrap()
    };
    for digits in [6, 7, 8, 9] {
        let even = file(digits, 0.0);
        assert_eq!(even.uneven, None, "{digits}");
        assert!((even.timing.step_s / 1e-8 - 1.0).abs() < 1e-5);
    }
    // What rounding does not explain is still told, with the line of the distance that is wrong.
    let told = file(9, 4e-9).uneven.unwrap();
    assert!(told.contains("line 40002") || told.contains("line 40003"), "{told}");
    let doubled =
        (0..300).map(|n| format!("{}e-9,{}\n", 10 * n.min(n.max(151) - 1), n % 5)).collect::<String>();
    let told = read_text(&format!("time,v\n{doubled}")).unwrap().uneven.unwrap();
    assert!(told.contains("the shortest ends at line"), "{told}");
}

#[test]
fn a_sample_rate_that_is_given_counts_whatever_the_times_of_the_file_are() {
    let row = |time: &str, n: usize| format!("{time},{}.{}\n", n % 7, n % 3);
    let table = |time: &dyn Fn(usize) -> String| {
        format!("time,v\n{}", (0..100).map(|n| row(&time(n), n)).collect::<String>())
    };
    let numbers: String = (0..50).chain(20..70).map(|n| row(&n.to_string(), n)).collect();
    let tables = [
        ("a gap", table(&|n| format!("{}e-8", n + 30 * (n / 60)))),
        ("backwards", table(&|n| format!("{}e-8", n % 50))),
        ("a time is missing", table(&|n| if n == 70 { String::new() } else { format!("{n}e-8") })),
        ("numbers run backwards", format!("X,CH1,Start,Increment\nSequence,Volt,0,1e-8\n{numbers}")),
    ];
    let options = Options { sample_rate_hz: Some(100e6), ..Options::default() };
    let mut told = Vec::new();
    for (name, text) in tables {
        let alone = read_text(&text);
        assert!(alone.is_err() || alone.is_ok_and(|file| file.uneven.is_some()), "{name}");
        let file = import::read(text.as_bytes(), &options).unwrap();
        assert_eq!((file.timing.step_s, &file.uneven, volts(&file, 0).len()), (1e-8, &None, 100), "{name}");
        told.push(format!("{name}: {}", file.notes.join("; ")));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    a gap: the sample rate given counts; the file's own times are left: time is not uniform: distances of samples lie between 1.0000e-8 s and 3.1000e-7 s (the longest ends at line 62), the mean is 1.3030e-8 s
    backwards: the sample rate given counts; the file's own times are left: line 52: time runs backwards, from 4.9e-7 s to 0e0 s: several records in one file, or rows out of order
    a time is missing: the sample rate given counts; the file's own times are left: line 72: the row has samples but no time
    numbers run backwards: the sample rate given counts; the file's own times are left: line 53: the numbers of the samples run backwards, from 49 to 20: several records in one file, or rows out of order
    ");
}

#[test]
fn units_are_found_behind_notes_in_the_midst_of_names_and_in_capitals_or_said_to_be_left() {
    let rows = |step: &str| (0..30).map(|n| format!("{n}{step},{}\n", 4990 + n % 7)).collect::<String>();
    let tables = [
        (
            "a comment under the heading",
            format!("Time [s],Vout [mV]\n# exported, at noon, by hand\n{}", rows("e-8")),
        ),
        ("a note under the heading", format!("Time [s],Vout [mV]\nnote: x\n{}", rows("e-8"))),
        ("a comment that is the heading", format!("exported\n# time,vout_mV\n{}", rows("e-8"))),
        ("words behind the unit", format!("time,Vout (mV) filtered\n{}", rows("e-8"))),
        ("the unit in front", format!("time,[mV] Vout\n{}", rows("e-8"))),
        ("units written out", format!("time,Vout\nseconds,millivolts\n{}", rows("e-8"))),
        ("nothing but a unit", format!("time,mV\n{}", rows("e-8"))),
        ("capitals", format!("TIME_US,VOUT_MV\n{}", rows("e-2"))),
        ("a row of units with a blank", format!("time,mV\nms,\n{}", rows("e-5"))),
        ("a unit among words", format!("time,Vout mV filtered\n{}", rows("e-8"))),
    ];
    let told: Vec<String> = tables
        .iter()
        .map(|(name, text)| {
            let file = read_text(text).unwrap();
            let said = file.notes.iter().filter(|note| note.contains(" names "));
            let (said, step_s) =
                (said.fold(String::new(), |all, note| all + "; " + note), file.timing.step_s);
            let (first, channel) = (volts(&file, 0)[0], &file.channels[0]);
            assert!((step_s - 1e-8).abs() < 1e-14, "{name}: {step_s}");
            format!("{name}: {} from {first} {}{said}", channel.name, channel.unit)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    a comment under the heading: Vout from 4.9900002 V
    a note under the heading: Vout from 4.9900002 V
    a comment that is the heading: vout from 4.9900002 V
    words behind the unit: Vout filtered from 4.9900002 V
    the unit in front: Vout from 4.9900002 V
    units written out: Vout from 4.9900002 V
    nothing but a unit: CH1 from 4.9900002 V
    capitals: VOUT from 4.9900002 V
    a row of units with a blank: CH1 from 4.9900002 V
    a unit among words: Vout mV filtered from 4990 V; `Vout mV filtered` names mV, but not where its unit is looked for: its samples count as volts
    ");
}

#[test]
fn names_of_a_simulator_are_names_of_nodes_and_no_units() {
    let rows: String = (0..200)
        .map(|n| format!("{n}e-8\t{}\t{}\t0.{}\n", 4.99 + f64::from(n % 7) / 1e3, 24 * (n / 50 % 2), n % 9))
        .collect();
    let file = || read_text(&format!("time\tV(vout)\tV(lx)\tI(L1)\n{rows}")).unwrap();
    let names: Vec<String> = file().channels.iter().map(|c| format!("{} in {}", c.name, c.unit)).collect();
    assert_eq!(names, ["V(vout) in V", "V(lx) in V", "I(L1) in A"]);
    let choose = |vout: Option<&str>, lx: Option<&str>| {
        let choice = Choice { vout: vout.map(str::to_owned), lx: lx.map(str::to_owned) };
        let chosen = file().select(&choice).unwrap();
        format!("{} and {:?}; {}", chosen.vout_name, chosen.lx_name, chosen.notes.join("; "))
    };
    insta::assert_snapshot!([
        choose(None, None),
        choose(Some("V(vout)"), Some("v(lx)")),
        choose(Some("vout"), Some("lx")),
        choose(Some("I(L1)"), None),
    ].join("\n"), @r#"
    V(vout) and Some("V(lx)"); V(vout) is taken as the output; V(lx) is taken as the switch node
    V(vout) and Some("V(lx)"); 
    V(vout) and Some("V(lx)"); 
    I(L1) and Some("V(lx)"); V(lx) is taken as the switch node; I(L1) is in A, not in volts: so is every figure whose name says volts
    "#);
}

/// A file of an older Rigol, with these numbers of the samples.
fn numbered(numbers: impl Iterator<Item = usize>) -> Result<Imported, ImportError> {
    let rows: String = numbers.map(|n| format!("{n},{}.{},\n", n % 7, n % 3)).collect();
    read_text(&format!("X,CH1,Start,Increment,\nSequence,Volt,-1.0e-04,1.0e-08\n{rows}"))
}

#[test]
fn numbers_of_samples_count_as_times_do() {
    let all = numbered(0..500).unwrap();
    assert_eq!((all.timing.step_s, all.uneven), (1e-8, None));
    let later = numbered(100..500).unwrap();
    assert!((later.timing.start_s - (all.timing.start_s + 1e-6)).abs() < 1e-15);
    let second = numbered((0..500).step_by(2)).unwrap();
    assert!((second.timing.step_s - 2e-8).abs() < 1e-20 && second.uneven.is_none());
    assert!(second.notes.iter().any(|note| note.contains("rise by 2 a row")), "{:?}", second.notes);
    let hole = numbered((0..200).chain(240..500)).unwrap().uneven.unwrap();
    assert!(hole.contains("and by 41 at line 203"), "{hole}");
    let told = |numbers: Vec<usize>| numbered(numbers.into_iter()).unwrap_err().to_string();
    insta::assert_snapshot!(told((0..200).chain(150..500).collect()), @"line 203: the numbers of the samples run backwards, from 199 to 150: several records in one file, or rows out of order");
    insta::assert_snapshot!(told((0..500).rev().collect()), @"line 4: the numbers of the samples run backwards, from 499 to 498: several records in one file, or rows out of order");
}

#[test]
fn a_comma_in_a_quoted_name_separates_nothing() {
    let rows: String = (0..9).map(|n| format!("{n}e-9,\"{}\",{}\n", 5000 + n, n % 3)).collect();
    let file = read_text(&format!("\"time, s\",\"Vout, mV\",\"LX, V\"\n{rows}")).unwrap();
    let names: Vec<&str> = file.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["Vout", "LX"]);
    assert!(
        (volts(&file, 0)[3] - 5.003).abs() < 1e-6 && file.notes.iter().all(|note| !note.contains("left out"))
    );
}

/// Rows of a table, 4 ns apart.
fn rows(from: usize, to: usize) -> String {
    (from..to).fold(String::new(), |mut text, i| {
        writeln!(text, "{}e-9,{}.{}", 4 * i, i % 7, i % 3).unwrap();
        text
    })
}

fn tell(tables: &[(&str, String)]) -> String {
    let told = tables.iter().map(|(name, text)| {
        let options =
            Options { sample_rate_hz: (*name == "counted rows").then_some(1e6), ..Options::default() };
        match import::read(text.as_bytes(), &options) {
            Ok(file) => format!("{name}: {}", render(&file)),
            Err(e) => format!("{name}: {e}\n"),
        }
    });
    told.collect::<Vec<String>>().join("\n")
}

#[test]
fn odd_rows_are_read_and_told() {
    let tables = [
        ("torn last row", format!("time,v\n{}4.0e-8,", rows(0, 10))),
        ("heading again", format!("time,v\n{}time,v\n{}", rows(0, 5), rows(5, 10))),
        ("trailing blanks", format!("time,v\r\n{}\r\n,,\r\n\r\n", rows(0, 10).replace('\n', ",,\r\n"))),
        ("a gap in time", format!("time,v\n{}{}", rows(0, 10), rows(20, 30))),
        ("header against rows", format!("Sample Interval,1e-9\nRecord Length,99\ntime,v\n{}", rows(0, 10))),
    ];
    insta::assert_snapshot!(tell(&tables), @"
    torn last row: plain columns
      step 4.000000e-9 s, start 0.000000e0 s
      v in V: 10 samples, 0.0000 5.2000 … 2.0000, 8 bits of 0.100000
        v ends before the other columns: nothing stands there from line 12 on
      - line 12, the last one, has no line end: if the file was cut off there, its last number is not whole
      - interval from the first to the last time: 4.000000e-9 s
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 2.5 % only: times are rounded and rows are few

    heading again: plain columns
      step 4.000000e-9 s, start 0.000000e0 s
      v in V: 10 samples, 0.0000 5.2000 … 2.0000, 8 bits of 0.100000
      - the heading stands 1 more times between the rows; skipped
      - interval from the first to the last time: 4.000000e-9 s
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 2.8 % only: times are rounded and rows are few

    trailing blanks: plain columns
      step 4.000000e-9 s, start 0.000000e0 s
      v in V: 10 samples, 0.0000 5.2000 … 2.0000, 8 bits of 0.100000
      - interval from the first to the last time: 4.000000e-9 s
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 2.8 % only: times are rounded and rows are few

    a gap in time: plain columns
      step 6.105263e-9 s, start 0.000000e0 s
      v in V: 20 samples, 0.0000 6.2000 … 1.2000, 8 bits of 0.100000
      - interval from the first to the last time: 6.105263e-9 s
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 0.9 % only: times are rounded and rows are few
      uneven: time is not uniform: distances of samples lie between 4.0000e-9 s and 4.4000e-8 s (the longest ends at line 12), the mean is 6.1053e-9 s

    header against rows: Tektronix MSO/DPO/MDO CSV
      step 4.000000e-9 s, start 0.000000e0 s
      v in V: 10 samples, 0.0000 5.2000 … 2.0000, 8 bits of 0.100000
      - the header's interval of 1e-9 s does not fit the time column, which rises by 4.000000e-9 s a row: the time column counts
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the header names 99 samples, the file holds 10
    ");
}

#[test]
fn odd_columns_are_read_and_told() {
    let tables = [
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
    insta::assert_snapshot!(tell(&tables), @"
    a column that ends: plain columns
      step 1.000000e-9 s, start 0.000000e0 s
      a in V: 4 samples, 1.0000 5.0000 … 2.0000, 8 bits of 1.000000
      b in V: 2 samples, 2.0000 4.0000 … 4.0000, 8 bits of 1.000000
        b ends before the other columns: nothing stands there from line 4 on
      - interval from the first to the last time: 1.000000e-9 s
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 33.7 % only: times are rounded and rows are few

    a column with a hole: plain columns
      step 1.000000e-9 s, start 0.000000e0 s
      a in V: 5 samples, 1.0000 5.0000 … 2.0000, 8 bits of 1.000000
      b in V: 1 samples, 2.0000 2.0000 … 2.0000, 8 bits of 1.000000
        fault: line 3: b has no value (`---`) between its samples
      - interval from the first to the last time: 1.000000e-9 s
      - times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 25.3 % only: times are rounded and rows are few

    rounded times: plain columns
      step 1.282051e-3 s, start 0.000000e0 s
      v in V: 40 samples, 0.0000 6.0000 … 4.0000, 8 bits of 1.000000
      - interval from the first to the last time: 1.282051e-3 s
      - times are rounded to 1e-2 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 20.2 % only: times are rounded and rows are few

    times in ms, amperes: plain columns
      step 1.000000e-6 s, start 1.000000e-6 s
      I load in A: 3 samples, 0.5000 0.5010 … 0.4990, 8 bits of 0.001000
      - interval from the first to the last time: 1.000000e-6 s
      - times are rounded to 1e-6 s: the interval is taken over the whole span, not between neighbours
      - the interval is known to 50.5 % only: times are rounded and rows are few

    counted rows: plain columns
      step 1.000000e-6 s, start 0.000000e0 s
      CH1 in V: 4 samples, 1.5000 1.7000 … 1.5000, 8 bits of 0.100000
      - the first column counts samples; it is no time
    ");
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
    insta::assert_snapshot!(rows.join("\n"), @r#"
    CH1 and Some("CH2"); CH1 is taken as the output; CH2 is taken as the switch node
    CH1 and None; CH2 is not looked at; the switch node, if it is there, is named with --lx
    CH2 and Some("CH1"); 
    CH1 cannot be the output and the switch node at once
    the file has no channel `CH5`; it holds CH1, CH2
    1 and Some("2"); 2 begins 2 rows later than the time column
    CH1 and Some("CH2"); 
    CH1 and None; CH1 is taken as the output
    "#);
}

/// Rows of one tenth of a microsecond each, by what prints time and value.
fn columns(heading: &str, row: impl Fn(usize) -> String) -> Vec<u8> {
    let rows: String = (0..12).map(|at| row(at) + "\n").collect();
    format!("{heading}\n{rows}").into_bytes()
}

#[test]
fn units_are_read_however_the_heading_joins_them_and_time_wherever_it_stands() {
    let micros =
        |at: usize| format!("{:.1};{:.3};{:.1}", at as f64 / 10.0, 5.0 + at as f64 / 1e3, 24 * (at % 2));
    let mut latin = columns("Zeit [@s];U_aus [V];U_LX [V]", micros);
    latin.iter_mut().filter(|byte| **byte == b'@').for_each(|byte| *byte = 0xB5);
    let other = |at: usize| format!("{:.3},{at},{:e}", 5000.0 + at as f64, at as f64 * 1e-7);
    let tables = [
        ("strokes", columns("Zeit / µs;U_aus / V;U_LX / V", micros)),
        ("underlines", columns("time_us;vout_V;lx_V", micros)),
        ("words", columns("Time in us;vout V;lx V", micros)),
        ("Latin-1", latin),
        ("time last, millivolts", columns("vout_mV,sample,time", other)),
        (
            "current",
            columns("time,Iout (A)", |at| format!("{:e},{:.3}", at as f64 * 1e-7, 0.1 + at as f64 / 1e3)),
        ),
        ("one name twice", columns("time,CH1,CH1", |at| format!("{:e},5.0,{:.1}", at as f64 * 1e-7, at % 2))),
        (
            "escape",
            columns("time,vout\u{1b}[31m", |at| {
                format!("{:e},{:.3}", at as f64 * 1e-7, (at + 1) as f64 / 1e3)
            }),
        ),
    ];
    let told: Vec<String> = tables
        .map(|(what, bytes)| {
            let file =
                import::read(&bytes[..], &Options::default()).unwrap_or_else(|e| panic!("{what}: {e}"));
            let step_s = file.timing.step_s;
            let first = volts(&file, 0)[0];
            let selected = file.select(&Choice::default()).unwrap();
            let notes = selected.notes.join("; ");
            format!(
                "{what}: {step_s:.1e} s, {} from {first}, lx {:?}; {notes}",
                selected.vout_name, selected.lx_name
            )
        })
        .into();
    insta::assert_snapshot!(told.join("\n"), @r#"
    strokes: 1.0e-7 s, U_aus from 5, lx Some("U_LX"); U_aus is taken as the output; U_LX is taken as the switch node
    underlines: 1.0e-7 s, vout from 5, lx Some("lx"); vout is taken as the output; lx is taken as the switch node
    words: 1.0e-7 s, vout from 5, lx Some("lx"); vout is taken as the output; lx is taken as the switch node
    Latin-1: 1.0e-7 s, U_aus from 5, lx Some("U_LX"); U_aus is taken as the output; U_LX is taken as the switch node
    time last, millivolts: 1.0e-7 s, vout from 5, lx None; vout is taken as the output; sample is not looked at; the switch node, if it is there, is named with --lx
    current: 1.0e-7 s, Iout from 0.1, lx None; Iout is in A, not in volts: so is every figure whose name says volts
    one name twice: 1.0e-7 s, CH1 from 5, lx Some("CH1 (column 3)"); CH1 is taken as the output; CH1 (column 3) is taken as the switch node
    escape: 1.0e-7 s, vout·[31m from 0.001, lx None; 
    "#);
}

#[test]
fn a_last_number_that_may_be_cut_off_is_left_out_or_told() {
    let full = columns("time,vout", |at| format!("{:.6e},{:.6e}", at as f64 * 1e-7, 5.0 + at as f64 / 1e3));
    let plain = columns("time,vout", |at| format!("{:.7},{:.3}", at as f64 * 1e-7, 5.0 + at as f64 / 1e3));
    let told: Vec<String> =
        [(&full, 1), (&full, 2), (&full, 4), (&full, 11), (&plain, 0), (&plain, 1), (&plain, 3)]
            .map(|(bytes, cut)| {
                let file = import::read(&bytes[..bytes.len() - cut], &Options::default()).unwrap();
                let (values, notes) =
                    (volts(&file, 0), file.notes.iter().filter(|note| note.contains("line 13")));
                let notes: Vec<&str> = notes.map(String::as_str).collect();
                format!("{} rows to {:?}; {}", values.len(), values.last(), notes.join("; "))
            })
            .into();
    insta::assert_snapshot!(told.join("\n"), @r#"
    12 rows to Some(5.011); line 13, the last one, has no line end: if the file was cut off there, its last number is not whole
    11 rows to Some(5.01); the file ends inside line 13 (`1.100000e-6,5.011000e`); that row is left out
    11 rows to Some(5.01); the file ends inside line 13 (`1.100000e-6,5.01100`); that row is left out
    11 rows to Some(5.01); the file ends inside line 13 (`1.100000e-6,`); that row is left out
    12 rows to Some(5.011); 
    12 rows to Some(5.011); line 13, the last one, has no line end: if the file was cut off there, its last number is not whole
    12 rows to Some(5.0); line 13, the last one, has no line end: if the file was cut off there, its last number is not whole
    "#);
}

#[test]
fn the_switch_node_is_the_one_that_spreads_however_high_the_spikes_of_the_output_are() {
    let pair = |at: usize| {
        let on = at % 82 < 18;
        let spike = if at % 82 == 18 || at.is_multiple_of(82) { 4.0 } else { 0.0 };
        (5.0 + spike * if at.is_multiple_of(2) { 1.0 } else { -1.0 }, if on { 6.0 } else { -0.4 })
    };
    let chosen = |swapped: bool, is_ramp: bool| {
        let rows = (0..4100).map(|at| {
            let (mut vout, lx) = pair(at);
            if is_ramp {
                vout = (vout * at as f64 / 820.0).min(5.0);
            }
            let (one, other) = if swapped { (lx, vout) } else { (vout, lx) };
            format!("{:e},{one:.4},{other:.4}\n", at as f64 * 1e-7)
        });
        let file = read_text(&("time,CH1,CH2\n".to_owned() + &rows.collect::<String>())).unwrap();
        let selected = file.select(&Choice::default()).unwrap();
        format!("{} {:?} {}", selected.vout_name, selected.lx_name, selected.notes.join("; "))
    };
    let told = [(false, false), (true, false), (false, true)].map(|(swapped, ramp)| chosen(swapped, ramp));
    insta::assert_snapshot!(told.join("\n"), @r#"
    CH1 Some("CH2") CH1 is taken as the output; CH2 is taken as the switch node
    CH2 Some("CH1") CH2 is taken as the output; CH1 is taken as the switch node
    CH1 None CH1 is taken as the output; CH2 is not looked at; the switch node, if it is there, is named with --lx
    "#);
}

#[test]
fn an_output_beside_a_switch_node_that_rests_is_not_taken_for_the_switch_node() {
    let rows: String =
        (0..4100).map(|at| format!("{at}e-7,{:.4},-0.4\n", 5.0 + f64::from(at % 7) * 1e-3)).collect();
    let selected = read_text(&format!("time,CH1,CH2\n{rows}")).unwrap().select(&Choice::default()).unwrap();
    assert_eq!((selected.vout_name.as_str(), selected.lx_name.as_deref()), ("CH1", None));
    assert!(selected.notes.iter().any(|note| note.contains("CH2 is not looked at")), "{:?}", selected.notes);
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

#[test]
fn rounded_times_are_told_with_how_they_are_rounded_and_what_the_interval_is_then() {
    // As a scope of the DS1000E series writes them: no zero at a number's end, so `1E-6` is no coarser than `1.002E-6`.
    let short = |seconds: f64| format!("{seconds:E}");
    let notes = |step_s: f64, digits: usize, head: &str| {
        let mut text = head.to_owned();
        for at in 0..8192_u32 {
            let rounded: f64 = format!("{:.digits$e}", f64::from(at) * step_s).parse().unwrap();
            writeln!(text, "{},{}", short(rounded), at % 7).unwrap();
        }
        let imported = read_text(&text).unwrap();
        assert!((imported.timing.step_s / step_s - 1.0).abs() < 2e-3, "{:?}", imported.timing);
        imported.notes.iter().find(|note| note.starts_with("times are rounded")).cloned()
    };
    let head = "\"Number of Data points =\",8192,\n\"Sampling Frequency (Hz)=\",500000000,\n\"Channel Data\",\"CH 1\"\n\"Time (s)\",\"Voltage (V)\"\n";
    let told = [
        // Five digits hold a whole nanosecond up to the end.
        notes(2e-9, 4, head),
        notes(2e-9, 4, "Time (s),vout (V)\n"),
        // Three do not.
        notes(2e-9, 2, "Time (s),vout (V)\n"),
        notes(2.5e-9, 12, head.replace("500000000", "400000000").as_str()),
    ];
    insta::assert_snapshot!(told.map(Option::unwrap).join("\n"), @"
    times are rounded to 1e-9 s: the interval is that of the header, not between neighbours
    times are rounded to 1e-9 s: the interval is taken over the whole span, not between neighbours
    times are rounded to 1e-7 s: the interval is taken over the whole span, not between neighbours
    times are rounded to 1e-10 s: the interval is that of the header, not between neighbours
    ");
}

#[test]
fn numbers_that_the_file_holds_more_finely_than_they_are_kept_are_told() {
    let notes = |decimals: usize, mean_v: f64, step_v: f64| {
        let mut text = "Time (s),vout (V)\n".to_owned();
        for at in 0..3000_u32 {
            let noise = f64::from(at.wrapping_mul(2_654_435_761) >> 20);
            writeln!(text, "{:.6},{:.decimals$}", f64::from(at) * 1e-3, mean_v + noise * step_v).unwrap();
        }
        let chosen = read_text(&text).unwrap().select(&Choice::default()).unwrap();
        chosen.notes.into_iter().find(|note| note.contains("kept with 24 bits"))
    };
    // A meter of six and a half digits at 24 V.
    let told = notes(6, 24.0, 1e-6).unwrap();
    assert!(told.contains("in steps of 1.9e-6 V at 2.4"), "{told}");
    // A scope of 16 bits at 5 V, and the same meter at 5 V.
    assert_eq!(notes(6, 5.0, 76e-6), None);
    assert_eq!(notes(6, 5.0, 1e-6), None);
    // Digits behind a converter's step are no finer step; and over a wide swing they are hidden anyway.
    assert_eq!(notes(9, 5.0, 1e-3), None);
    assert_eq!(notes(9, -10.0, 5.123_456_7e-3), None);
}

/// A source that gives at most so many bytes at a time.
struct Drip<'a> {
    left: &'a [u8],
    at_once: usize,
}

impl std::io::Read for Drip<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let (now, later) = self.left.split_at(self.at_once.min(self.left.len()).min(room.len()));
        room[..now.len()].copy_from_slice(now);
        self.left = later;
        Ok(now.len())
    }
}

#[test]
fn figures_are_the_same_bits_in_whatever_pieces_a_file_arrives() {
    let mut text = String::from("Time(s),vout,lx\n");
    let mut array = Vec::new();
    for at in 0..20_000_u32 {
        let phase = f64::from(at % 820) / 820.0;
        let noise = f64::from(at.wrapping_mul(2_654_435_761) >> 24) * 1e-5;
        let (vout, lx) = (5.0 + 0.02 * phase + noise, if phase < 0.25 { 23.8 } else { -0.2 });
        writeln!(text, "{:.8e},{vout:.6},{lx:.1}", f64::from(at) * 1e-8).unwrap();
        array.extend([vout, lx].iter().flat_map(|value| (*value as f32).to_le_bytes()));
    }
    let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (20000, 2), }";
    let mut npy = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    npy.extend(format!("{head:117}\n").bytes());
    npy.extend(array);
    for (file, sample_rate_hz) in [(text.into_bytes(), None), (npy, Some(100e6))] {
        let figures = |at_once: usize| {
            let source = Drip { left: &file, at_once };
            let read = import::read(source, &Options { sample_rate_hz, ..Options::default() }).unwrap();
            let chosen = read.select(&Choice::default()).unwrap();
            let state = measure_one(&Pair { vout: &chosen.vout, lx: chosen.lx.as_ref() });
            let bits = |figure: &soakrig::waveform::Figure| figure.clone().map(f64::to_bits);
            state.figures().into_iter().map(|(name, figure)| (name, bits(figure))).collect::<Vec<_>>()
        };
        let at_once = figures(usize::MAX);
        assert!(at_once.iter().filter(|(_, figure)| figure.is_ok()).count() > 25);
        for pieces in [1, 333, 65_537] {
            assert_eq!(figures(pieces), at_once, "{pieces} bytes at a time");
        }
    }
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
    insta::assert_snapshot!(told(&bytes).unwrap_err(), @"the numpy array cannot be read: its header names 400000000 samples, it holds 0");
    let pickle = String::from_utf8_lossy(&bytes[10..]).replace("<f8", "|O");
    let mut objects = b"\x93NUMPY\x01\x00".to_vec();
    objects.extend_from_slice(&(pickle.len() as u16).to_le_bytes());
    objects.extend_from_slice(pickle.as_bytes());
    insta::assert_snapshot!(told(&objects).unwrap_err(), @"the numpy array cannot be read: it holds Python objects (a pickle), which are never loaded; save numbers only");
}

#[test]
fn an_array_whose_header_leaves_its_order_open_is_refused() {
    let told = |descr: &str, order: &str| {
        let header = format!("{{'descr': '{descr}', {order}'shape': (4, 2), }}\n");
        let length = (header.len() as u16).to_le_bytes();
        let bytes = [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), &[0; 32]].concat();
        let options = Options { sample_rate_hz: Some(1.0), ..Options::default() };
        import::read(&bytes[..], &options).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(told("<f4", "'fortran_order': True, "), Ok(()));
    for order in ["", "'fortran_order': true, ", "'fortran_order': 1, ", "'fortran_order': None, "] {
        assert!(told("<f4", order).unwrap_err().contains("fortran_order"), "{order}");
    }
    assert!(told("?f4", "'fortran_order': False, ").unwrap_err().contains("byte order"));
}

#[test]
fn odd_arrays_are_read_and_told() {
    let array = |shape: &str, numbers: &[f64]| {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        bytes
    };
    let pairs = |times: [f64; 4]| {
        times.into_iter().flat_map(|time_s| [time_s, 5.0 + time_s % 2.0]).collect::<Vec<f64>>()
    };
    let arrays = [
        ("no columns", array("(5, 0)", &[])),
        ("no rows", array("(0, 2)", &[])),
        ("no number", array("(3,)", &[5.0, f64::NAN, 5.0])),
        ("beyond any range", array("(3,)", &[5.0, 5.0, 1e300])),
        ("even times", array("(4, 2)", &pairs([0.0, 1.0, 2.0, 3.0]))),
        ("times with a gap", array("(4, 2)", &pairs([0.0, 1.0, 2.0, 9.0]))),
        ("a column that rests", array("(4, 2)", &pairs([0.0, 1.0, 1.0, 9.0]))),
    ];
    let options = Options { sample_rate_hz: Some(1.0), ..Options::default() };
    let tell = |bytes: &[u8]| match import::read(bytes, &options) {
        Ok(file) => render(&file),
        Err(error) => error.to_string(),
    };
    let told: Vec<String> = arrays.iter().map(|(name, bytes)| format!("{name}: {}", tell(bytes))).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    no columns: the numpy array cannot be read: it holds no samples
    no rows: the numpy array cannot be read: it holds no samples
    no number: the numpy array cannot be read: sample 1 is NaN, which no scope measures
    beyond any range: the numpy array cannot be read: sample 2 is 1e300, which no scope measures
    even times: numpy array (.npy)
      step 1.000000e0 s, start 0.000000e0 s
      CH1 in V: 4 samples, 5.0000 5.0000 … 6.0000, numbers
      - the first column rises evenly and is taken as time in seconds

    times with a gap: numpy array (.npy)
      step 1.000000e0 s, start 0.000000e0 s
      CH1 in V: 4 samples, 5.0000 5.0000 … 6.0000, numbers
      - the first column rises from row to row and is taken as time in seconds
      - the sample rate given counts; the file's own times are left: time is not uniform: distances of samples lie between 1.0000e0 s and 7.0000e0 s (the longest ends at line 4), the mean is 3.0000e0 s

    a column that rests: numpy array (.npy)
      step 1.000000e0 s, start 0.000000e0 s
      CH1 in V: 4 samples, 0.0000 1.0000 … 9.0000, numbers
      CH2 in V: 4 samples, 5.0000 6.0000 … 6.0000, numbers
    ");
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
    assert!((chosen.vout.scaling.volts_per_code - 1e-3).abs() < 1e-6);
    assert_eq!(chosen.vout_unit, Unit::Volt);
    let figures = measure_one(&Pair { vout: &chosen.vout, lx: chosen.lx.as_ref() });
    let near = |figure: &soakrig::waveform::Figure, truth: f64, within: f64| {
        let value = figure.as_ref().unwrap();
        assert!((value - truth).abs() <= within, "{value} is not {truth}");
    };
    let falsely = figures.notes.iter().find(|note| note.contains("% of its range"));
    assert_eq!(falsely, None, "the range of a file's scope is not known");
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
