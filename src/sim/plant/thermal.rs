//! Two thermal nodes: the hot parts (chip, diode, inductor) and the board, which the sensor touches.
//!
//! `C1 dT1/dt = P - (T1-T2)/R12`, `C2 dT2/dt = (T1-T2)/R12 - (T2-Ta)/R2a`, explicit Euler with the grid's half second
//! (the shortest time constant is over a minute). Limits: linear, no radiation, no airflow.

const HOT_J_PER_K: f64 = 2.0;
const BOARD_J_PER_K: f64 = 12.0;
const HOT_TO_BOARD_K_PER_W: f64 = 40.0;
const BOARD_TO_AIR_K_PER_W: f64 = 28.0;

/// The temperatures in degrees Celsius.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Thermal {
    pub(crate) hot_c: f64,
    pub(crate) board_c: f64,
    pub(crate) ambient_c: f64,
}

impl Thermal {
    /// Everything at ambient.
    pub(crate) const fn at(ambient_c: f64) -> Self {
        Self { hot_c: ambient_c, board_c: ambient_c, ambient_c }
    }

    /// One step of `step_s` seconds in which `heat_j` joules were lost in the hot parts.
    pub(crate) fn step(&mut self, heat_j: f64, step_s: f64) {
        let across_w = (self.hot_c - self.board_c) / HOT_TO_BOARD_K_PER_W;
        let away_w = (self.board_c - self.ambient_c) / BOARD_TO_AIR_K_PER_W;
        self.hot_c += (heat_j - across_w * step_s) / HOT_J_PER_K;
        self.board_c += (across_w - away_w) * step_s / BOARD_J_PER_K;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_watt_warms_the_board_by_about_fourteen_kelvins_within_half_an_hour() {
        let mut thermal = Thermal::at(23.0);
        for _ in 0..7200 {
            thermal.step(0.25, 0.5);
        }
        assert!((thermal.board_c - 37.0).abs() < 0.2, "{thermal:?}");
        let mut early = Thermal::at(23.0);
        for _ in 0..120 {
            early.step(0.25, 0.5);
        }
        assert!((0.3..3.0).contains(&(early.board_c - 23.0)), "after a minute hardly anything: {early:?}");
    }
}
