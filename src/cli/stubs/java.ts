/** A Maven project. */
import { readme, type StubLanguage } from './language.js';

export const java: StubLanguage = {
  generator: () => 'java:private_members,generated_annotations=suppress',
  sources: () => 'src/main/java',
  files: (making) => {
    const { dashed, compiler } = making,
      own = making.namespace('java');
    const code = `import dev.parley.*;
import ${own}.*;
import org.apache.thrift.protocol.*;
import org.apache.thrift.transport.*;
import org.apache.thrift.transport.layered.TFramedTransport;

${making.example('Java')}`;
    return new Map([
      [
        'pom.xml',
        `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.parley.stubs</groupId>
  <artifactId>${dashed}-stubs</artifactId>
  <version>0.1.0</version>
  <properties>
    <maven.compiler.source>11</maven.compiler.source>
    <maven.compiler.target>11</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>org.apache.thrift</groupId>
      <artifactId>libthrift</artifactId>
      <version>${compiler.version}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-api</artifactId>
      <version>2.0.17</version>
    </dependency>
  </dependencies>
</project>
`,
      ],
      ['README.md', readme(making, 'Java', 'mvn install', 'java', code)],
    ]);
  },
};
