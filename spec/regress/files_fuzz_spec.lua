-- Tasks that do at random whatever files and paths offer, against a model, in
-- a process of its own each. QUOLL_TEST_SEED=n makes other choices.
local helper = require "spec.helper"
local calls = require "spec.support.calls"

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20221122
local TINY = "{ threads = 1, thread_queue = 2, worker_aio_requests = 1, "
    .. "aio_queue = 1, open_file_cache = 2, open_file_cache_errors = 1 }"

local function run(seed, settings, fork_at)
    return function()
        calls.in_directory(function(dir)
            local result = helper.script("spec/support/files_fuzz.lua",
                { dir, seed, fork_at }, { timeout = 60,
                    env = { SETTINGS = settings } })
            local ended = "0\t0\t0\n" -- left over, ALERT lines, temporary files
            assert.equal(ended:rep(fork_at and 2 or 1), result.out,
                result.err)
            assert.equal(0, result.code, result.err)
        end)
    end
end

describe("files under random tasks", function()
    for seed = SEED, SEED + (helper.collecting and 0 or 3) do
        it("agree with the model, seed " .. seed, run(seed))
        it("with a place for one of each, seed " .. seed, run(seed, TINY))
        it("and a fork, seed " .. seed, run(seed, nil, 50 + seed % 7 * 40))
    end
end)
