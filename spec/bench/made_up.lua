-- made_up.lua: results that no machine gave, with one of everything.
return {
    echo = {
        name = "echo", what = "an echo of <64 B> & back", commit = "0a1b2c3",
        peers = { "bare C", "a <peer> & its \"name\"" }, missing = {},
        machine = "2 cores of X, Linux 1", rounds = 5,
        figures = {
            { what = "echo: CPU us <each> & all, against bare C",
                measured = 5.9, against = 5.4, ratio = 1.09, low = 1.02,
                high = 1.31, most = 1.08, met = false },
            { what = "requests a second, against nginx", ratio = 13.25,
                measured = 1360000, against = 102641, low = 11.9, high = 13.4,
                least = 10, met = true },
            { what = "the event core, against bare C", measured = 5.5,
                against = 5.4, ratio = 1.02, low = 0.98, high = 1.03 },
            { what = "peak MiB, at the end and after a tenth", measured = 25.7,
                against = 25.6, ratio = 1.003, low = 1, high = 1.01,
                judged = "measured", most = 120, met = true },
        },
    },
    idle = {
        name = "idle", what = "memory", commit = "4d5e6f7", peers = {},
        machine = "4 cores of Y, Linux 2", rounds = 1, quick = true,
        missing = { { name = "nginx <Lua>", why = "no such file & folder" } },
        figures = {
            { what = "bytes a connection", measured = 1732, most = 1500,
                met = false },
            { what = "CPU us, of nobody's", measured = 3.25 },
            { what = "divided by nothing", measured = 1, against = 0,
                ratio = math.huge, low = math.huge, high = math.huge,
                most = 2, met = false },
        },
    },
    stall = {
        name = "stall", what = "lateness", peers = { "luv" }, missing = {},
        machine = "2 cores of X, Linux 1", rounds = 3, figures = {},
        failed = "bench/stall.lua: <stdin>: no answer & no end: "
            .. ("/a/rather/long/path"):rep(8),
    },
}
