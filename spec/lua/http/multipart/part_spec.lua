local folders = require "spec.support.folders"
local helper = require "spec.helper"
local multipart = require "quoll.http.multipart"
local quoll = require "quoll"
local tasks = require "spec.support.tasks"

-- Two fields; the first one's content in pieces.
local function parts(content)
    local text = '--b\r\ncontent-disposition: form-data; name="%s"\r\n\r\n'
    local pieces = { text:format "a", content, "\r\n" .. text:format "z",
        "last\r\n--b--" }
    local at = 0
    return multipart.parts(function()
        at = at + 1
        return pieces[at]
    end, "b")
end

describe("quoll.http.multipart.part", function()
    helper.gates()

    it("is skipped when it is not read, or half", function()
        for _, take in ipairs { function() end, function(part)
            assert(part:chunks()())
        end, function(part)
            assert.equal("part too large", select(2, part:body(3)))
        end, function(part)
            assert.equal("content", part:body())
            assert.equal("", part:body())
        end } do
            local form = parts "content"
            take(form())
            local last = form()
            assert.equal("z", last.name)
            assert.equal("last", last:body())
            assert.is_nil(form())
            assert.is_nil(form())
        end
    end)

    it("is over when the next one has begun", function()
        local form = parts "content"
        local first = form()
        form()
        assert.error_matches(function() first:body() end, "closed")
    end)

    it("has a limit for its body", function()
        assert.same({ nil, "part too large", "EMSGSIZE" },
            { parts("0123456789")():body(9) })
        assert.equal("0123456789", parts("0123456789")():body(10))
    end)
end)

describe("part:save", function()
    helper.gates()
    local dir

    before_each(function() dir = folders.make() end)
    after_each(function() folders.remove(dir) end)

    it("writes a file, or none", function()
        tasks.run(function()
            local path = dir .. "/a"
            local big = ("0123456789"):rep(100000)
            assert.equal(#big, parts(big)():save(path))
            assert.equal(big, quoll.fs.readfile(path))
            local got, err, code = parts("x")():save(dir .. "/none/a")
            assert.is_nil(got)
            assert.matches("no such file or directory", err)
            assert.equal("ENOENT", code)
            assert.same({ nil, dir .. ": is a directory", "EISDIR" },
                { parts("x")():save(dir) })
            local names = {}
            for name in quoll.fs.readdir(dir) do
                names[#names + 1] = type(name) == "table" and name.name or name
            end
            assert.same({ "a" }, names)
        end)
    end)

    it("leaves nothing of a body that breaks off", function()
        tasks.run(function()
            local said
            local part = multipart.parts(function()
                if not said then
                    said = true
                    return "--b\r\nContent-Disposition: form-data; name=a"
                        .. "\r\n\r\n" .. ("x"):rep(100)
                end
            end, "b")()
            assert.error_matches(function() part:save(dir .. "/a") end,
                "it ends within a part")
            assert.is_nil(quoll.fs.readdir(dir)())
        end)
    end)
end)
