local figures = require "bench.lib.figures"

local FILES, BYTES = 1000, 16 * 1024

local function make(bench)
    local folder = bench:folder()
    local noise = assert(io.open("/dev/urandom", "rb"))
    for i = 1, FILES do
        local path = folder .. "/hot" .. i
        local out = assert(io.open(path, "wb"))
        assert(out:write(noise:read(BYTES)))
        assert(out:close())
        bench:program("evict", { path })
    end
    noise:close()
    return folder
end

return {
    name = "file_hot",
    what = "1,000 files of 16 KiB, opened, read and closed, pass after pass",
    run = function(bench)
        local folder = make(bench)
        local samples = figures.samples()
        bench:rounds(function()
            local found = figures.parse(bench:script("bench/file_hot.lua",
                folder, FILES, BYTES))
            samples:add {
                hits = found.hits / found.reads * 100,
                cpu = found.cpu / found.reads * 1e6,
            }
        end)
        bench.report:add {
            what = "hot set: % of the reads that the page cache answers",
            measured = samples:median("hits"),
            least = 99,
        }
        bench.report:add {
            what = "hot set: CPU us of open, pread and close",
            measured = samples:median("cpu"),
        }
    end,
}
