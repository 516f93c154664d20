import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../test/support/fuzz.ts';
import { child, children, readXml, unescapeXml, XmlError } from './xml.ts';

test('elements, attributes, texts', () => {
  const root = readXml(`<?xml version='1.0'?>
<!-- a list -->
<jobs xmlns:xsd="http://example.org/x">
  <job state="r" name='a "b"'>
    <id>7</id><id>8</id><empty/><none></none>
  </job>
  <note>one <b>two</b> three</note>
</jobs>
`);
  assert.equal(root.name, 'jobs');
  const job = child(root, 'job');
  assert.ok(job);
  assert.deepEqual([job.attributes.state, job.attributes.name], ['r', 'a "b"']);
  assert.deepEqual(
    children(job, 'id').map(({ text }) => text),
    ['7', '8'],
  );
  assert.deepEqual([child(job, 'empty')?.text, child(job, 'none')?.text, child(job, 'other')], ['', '', undefined]);
  assert.equal(child(root, 'note')?.text, 'one  three');
});

describe('values stay text', () => {
  for (const [written, text] of [
    ['a&lt;b&gt;&amp;c &quot;d&quot; &apos;', `a<b>&c "d" '`],
    ['&#65;&#x42;', 'AB'],
    ['&amp;lt;', '&lt;'],
    ['R&D &unknown; &#xD800; &#9999999;', 'R&D &unknown; &#xD800; &#9999999;'],
    ['x]]>y', 'x]]>y'],
    ['<![CDATA[<a>&lt;</a>]]>', '<a>&lt;</a>'],
    ['  007  ', '  007  '],
    ['true', 'true'],
    ['\u0001\u001b[2J', '\u0001\u001b[2J'],
  ] as const) {
    test(JSON.stringify(written), () => {
      assert.equal(readXml(`<a>${written}</a>`).text, text);
    });
  }

  test('names of the language are only names', () => {
    const root = readXml('<a __proto__="x" constructor="y"/>');
    assert.deepEqual(Object.entries(root.attributes), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    assert.equal(readXml('<a/>').attributes.toString, undefined);
  });
});

describe('what is not one whole document is an error', () => {
  for (const document of [
    '',
    ' \n',
    'text',
    '<a>',
    '<a><b></a></b>',
    '<a></b>',
    '</a>',
    '<a/><b/>',
    '<a/>text',
    'text<a/>',
    '<a><b></a>',
    '<a b></a>',
    '<a b=c/>',
    '<a b="c/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a"b"/>',
    '< a/>',
    '<1/>',
    '<a',
    '<a><!-- </a>',
    '<a><![CDATA[ </a>',
    '<a><? </a>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<a><!ELEMENT b></a>',
  ]) {
    test(JSON.stringify(document), () => {
      assert.throws(() => readXml(document), XmlError);
    });
  }

  test('every beginning of a document', () => {
    const whole = '<?xml version="1.0"?><a x="1"><b>text &amp; more</b><!-- c --><c/></a>';
    for (let i = 0; i < whole.length; i++) assert.throws(() => readXml(whole.slice(0, i)), XmlError, whole.slice(0, i));
    assert.equal(readXml(whole).children.length, 2);
  });
});

test('bounds', () => {
  assert.throws(() => readXml('<a></a>', { size: 6 }), /6 are allowed/);
  assert.throws(() => readXml('<a><b/><b/></a>', { elements: 2 }), /more than 2 elements/);
  assert.throws(() => readXml('<a>'.repeat(40) + '</a>'.repeat(40)), /in each other/);
  assert.throws(() => readXml('<a>'.repeat(200_000)), XmlError);
});

test('an error says where, in one line, and not the whole document', () => {
  assert.throws(
    () => readXml(`<a>${'x'.repeat(5000)}</b>\n</a>`),
    (error) =>
      error instanceof XmlError && /^[^\n]{1,200}$/.test(error.message) && /character 5003/.test(error.message),
  );
});

test('any text is read or an XmlError, and what was escaped comes back', () => {
  fuzz(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        readXml(text);
      } catch (error) {
        assert.ok(error instanceof XmlError);
      }
      const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      assert.equal(readXml(`<a>${escaped}</a>`).text, text);
      assert.equal(unescapeXml(escaped), text);
    }),
    { numRuns: 500 },
  );
});
