local raw = require("quoll.core").process

describe("bindings/process/signame", function()
    it("knows signals by both names", function()
        assert.equal(15, raw.signal_number "SIGTERM")
        assert.equal(15, raw.signal_number "TERM")
        assert.equal("SIGTERM", raw.signal_name(15))
        for _, name in ipairs { "", "SIG", "term", "SIGSIGTERM", "ERM" } do
            assert.is_nil(raw.signal_number(name))
        end
        assert.is_nil(raw.signal_name(0))
        assert.is_nil(raw.signal_name(1000))
    end)

    it("lists the environment", function()
        local found
        for _, entry in ipairs(raw.environment()) do
            found = found or entry:match "^PATH=(.*)"
        end
        assert.equal(os.getenv "PATH", found)
    end)
end)
