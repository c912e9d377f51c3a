local helper = require "spec.helper"
local calls = require "spec.support.calls"
local fs = require("quoll").fs

describe("the iterator of a directory", function()
    helper.gates()

    it("may be called by hand, and has its methods", function()
        calls.in_directory(function(dir)
            calls.write(dir .. "/only", "")
            local entries = fs.readdir(dir)
            assert.equal(entries, entries:disown())
            assert.equal(entries, entries:own())
            assert.same({ "only", "file" }, { entries() })
            assert.same({ 1, nil }, { select("#", entries()), nil })
            assert.is_nil(entries())
            assert.same({ nil, "closed", "CLOSED" }, { entries:close() })
        end)
    end)

    it("is a handle", function()
        local entries = fs.readdir "/"
        assert.equal("userdata", type(entries))
        assert.matches("^directory %(open%)", tostring(entries))
        entries:close()
        assert.matches("^directory %(closed%)", tostring(entries))
    end)

    it("stays below a root", function()
        calls.in_directory(function(dir)
            calls.write(dir .. "/only", "")
            assert(os.execute("ln -s /etc " .. dir .. "/out") == 0)
            local names = {}
            for name in fs.readdir(".", { root = dir }) do
                names[name] = true
            end
            assert.same({ only = true, out = true }, names)
            for _, path in ipairs { "out", "..", "/etc" } do
                assert.equal("EXDEV",
                    select(3, fs.readdir(path, { root = dir })))
            end
            assert.is_false(pcall(fs.readdir, ".", { root = 1 }))
            assert.is_false(pcall(fs.readdir, ".", { rout = dir }))
        end)
    end)

    it("is closed once", function()
        local entries = fs.readdir "/"
        assert.is_true(entries:close())
        assert.is_nil((entries:close()))
        assert.is_false(pcall(entries))
    end)
end)
