"""Where the classes of well-known packages come from: the coordinates under which each library is published on Maven Central, by its
own manual. For logs that mention no artifact; where one does, that is what counts."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

# group:artifact, and the packages (or single classes) that are its own.
_OF: Final = """
ch.qos.logback:logback-classic ch.qos.logback
ch.qos.logback:logback-core ch.qos.logback.core
cglib:cglib net.sf.cglib
com.beust:jcommander com.beust.jcommander
com.fasterxml.jackson.core:jackson-annotations com.fasterxml.jackson.annotation
com.fasterxml.jackson.core:jackson-core com.fasterxml.jackson.core
com.fasterxml.jackson.core:jackson-databind com.fasterxml.jackson.databind
com.fasterxml.jackson.dataformat:jackson-dataformat-xml com.fasterxml.jackson.dataformat.xml
com.fasterxml.jackson.dataformat:jackson-dataformat-yaml com.fasterxml.jackson.dataformat.yaml
com.fasterxml.jackson.datatype:jackson-datatype-jsr310 com.fasterxml.jackson.datatype.jsr310
com.github.ben-manes.caffeine:caffeine com.github.benmanes.caffeine
com.google.code.findbugs:jsr305 javax.annotation.Nonnull javax.annotation.Nullable
com.google.code.findbugs:jsr305 javax.annotation.CheckForNull javax.annotation.concurrent
com.google.code.gson:gson com.google.gson
com.google.errorprone:error_prone_annotations com.google.errorprone.annotations
com.google.guava:guava com.google.common
com.google.inject:guice com.google.inject
com.google.protobuf:protobuf-java com.google.protobuf
com.h2database:h2 org.h2
com.mysql:mysql-connector-j com.mysql.cj
com.puppycrawl.tools:checkstyle com.puppycrawl.tools.checkstyle
com.squareup.okhttp3:okhttp okhttp3
com.squareup.okio:okio okio
com.squareup.retrofit2:retrofit retrofit2
com.zaxxer:HikariCP com.zaxxer.hikari
commons-beanutils:commons-beanutils org.apache.commons.beanutils
commons-cli:commons-cli org.apache.commons.cli
commons-codec:commons-codec org.apache.commons.codec
commons-collections:commons-collections org.apache.commons.collections
commons-io:commons-io org.apache.commons.io
commons-lang:commons-lang org.apache.commons.lang
commons-logging:commons-logging org.apache.commons.logging
info.picocli:picocli picocli
io.cucumber:cucumber-java io.cucumber.java
io.micrometer:micrometer-core io.micrometer.core
io.netty:netty-buffer io.netty.buffer
io.netty:netty-codec-http io.netty.handler.codec.http
io.netty:netty-common io.netty.util
io.netty:netty-handler io.netty.handler.ssl
io.netty:netty-transport io.netty.channel
io.projectreactor:reactor-core reactor.core
io.reactivex.rxjava3:rxjava io.reactivex.rxjava3
io.swagger.core.v3:swagger-annotations io.swagger.v3.oas.annotations
io.vertx:vertx-core io.vertx.core
jakarta.annotation:jakarta.annotation-api jakarta.annotation
jakarta.inject:jakarta.inject-api jakarta.inject
jakarta.persistence:jakarta.persistence-api jakarta.persistence
jakarta.servlet:jakarta.servlet-api jakarta.servlet
jakarta.validation:jakarta.validation-api jakarta.validation
jakarta.ws.rs:jakarta.ws.rs-api jakarta.ws.rs
jakarta.xml.bind:jakarta.xml.bind-api jakarta.xml.bind
javax.activation:javax.activation-api javax.activation
javax.annotation:javax.annotation-api javax.annotation
javax.inject:javax.inject javax.inject
javax.persistence:javax.persistence-api javax.persistence
javax.servlet:javax.servlet-api javax.servlet
javax.validation:validation-api javax.validation
javax.ws.rs:javax.ws.rs-api javax.ws.rs
javax.xml.bind:jaxb-api javax.xml.bind
joda-time:joda-time org.joda.time
junit:junit junit.framework org.junit
log4j:log4j org.apache.log4j
net.bytebuddy:byte-buddy net.bytebuddy
org.apache.commons:commons-collections4 org.apache.commons.collections4
org.apache.commons:commons-compress org.apache.commons.compress
org.apache.commons:commons-csv org.apache.commons.csv
org.apache.commons:commons-dbcp2 org.apache.commons.dbcp2
org.apache.commons:commons-lang3 org.apache.commons.lang3
org.apache.commons:commons-math3 org.apache.commons.math3
org.apache.commons:commons-pool2 org.apache.commons.pool2
org.apache.commons:commons-text org.apache.commons.text
org.apache.httpcomponents.client5:httpclient5 org.apache.hc.client5
org.apache.httpcomponents.core5:httpcore5 org.apache.hc.core5
org.apache.httpcomponents:httpclient org.apache.http
org.apache.kafka:kafka-clients org.apache.kafka.clients
org.apache.logging.log4j:log4j-api org.apache.logging.log4j
org.apache.logging.log4j:log4j-core org.apache.logging.log4j.core
org.apache.pdfbox:pdfbox org.apache.pdfbox
org.apache.poi:poi org.apache.poi
org.apache.poi:poi-ooxml org.apache.poi.xssf
org.assertj:assertj-core org.assertj.core
org.dom4j:dom4j org.dom4j
org.easymock:easymock org.easymock
org.eclipse.jetty:jetty-http org.eclipse.jetty.http
org.eclipse.jetty:jetty-io org.eclipse.jetty.io
org.eclipse.jetty:jetty-server org.eclipse.jetty.server
org.eclipse.jetty:jetty-util org.eclipse.jetty.util
org.flywaydb:flyway-core org.flywaydb.core
org.hamcrest:hamcrest org.hamcrest
org.hibernate.validator:hibernate-validator org.hibernate.validator
org.jacoco:org.jacoco.agent org.jacoco.agent
org.javassist:javassist javassist
org.jdom:jdom2 org.jdom2
org.jetbrains.kotlin:kotlin-stdlib kotlin
org.jetbrains.kotlinx:kotlinx-coroutines-core kotlinx.coroutines
org.jooq:jooq org.jooq
org.json:json org.json
org.jsoup:jsoup org.jsoup
org.junit.jupiter:junit-jupiter-api org.junit.jupiter.api
org.junit.jupiter:junit-jupiter-engine org.junit.jupiter.engine
org.junit.jupiter:junit-jupiter-params org.junit.jupiter.params
org.junit.platform:junit-platform-commons org.junit.platform.commons
org.junit.platform:junit-platform-engine org.junit.platform.engine
org.junit.platform:junit-platform-launcher org.junit.platform.launcher
org.mapstruct:mapstruct org.mapstruct
org.mockito:mockito-core org.mockito
org.mockito:mockito-junit-jupiter org.mockito.junit.jupiter
org.seleniumhq.selenium:selenium-api org.openqa.selenium
org.ow2.asm:asm org.objectweb.asm
org.postgresql:postgresql org.postgresql
org.projectlombok:lombok lombok
org.quartz-scheduler:quartz org.quartz
org.reactivestreams:reactive-streams org.reactivestreams
org.scala-lang:scala-library scala
org.slf4j:slf4j-api org.slf4j
org.springframework.boot:spring-boot org.springframework.boot
org.springframework.boot:spring-boot-autoconfigure org.springframework.boot.autoconfigure
org.springframework.boot:spring-boot-test org.springframework.boot.test
org.springframework.data:spring-data-jpa org.springframework.data.jpa
org.springframework.security:spring-security-config org.springframework.security.config
org.springframework.security:spring-security-core org.springframework.security.core
org.springframework.security:spring-security-web org.springframework.security.web
org.springframework:spring-beans org.springframework.beans
org.springframework:spring-context org.springframework.context org.springframework.stereotype org.springframework.scheduling
org.springframework:spring-core org.springframework.core org.springframework.util
org.springframework:spring-jdbc org.springframework.jdbc
org.springframework:spring-test org.springframework.test
org.springframework:spring-web org.springframework.web org.springframework.http
org.springframework:spring-webmvc org.springframework.web.servlet
org.testng:testng org.testng
org.yaml:snakeyaml org.yaml.snakeyaml
"""
_OWNER: Final = {package: line.split()[0] for line in _OF.strip().split("\n") for package in line.split()[1:]}


@lru_cache(maxsize=4_096)
def owner(name: str) -> str:
    """The artifact that a class or package is known to come from, by the longest beginning that is known; "" for none."""
    parts = name.split(".")
    beginnings = (".".join(parts[:many]) for many in range(len(parts), 0, -1))
    return next((_OWNER[one] for one in beginnings if one in _OWNER), "")
